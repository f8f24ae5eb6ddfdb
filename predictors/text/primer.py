"""What a model of text reads before its data: common words, and text of several kinds.

A small file costs most at its start, until the model knows its words and how surely each
context predicts. The primer is learned first, in both directions, and coded nowhere.
"""

# Frozen: files depend on each byte. The rarest words come first, since what is recent counts
# most; these are the ones that most texts of the training corpus share, by frequency.
_WORDS = b"""\
waters sympathy recognize violence gather handed minimum plenty nearest appointed occasions
destination firmly abstract expense victory sees genius baby basic released satisfy rocks grant
softly sorts standards eating regardless probable suffering activity refused agents kiss
stronger considering seized sons properties banks operating brings originally yard proposal
generous rely rendered fourth load drinking sacred components fails luck defend patience hurry
differ oil buried sell devices wicked fatal smooth distributed lately vote gradually disposition
invalid plate attempted dreams energy listed wondered quantity ride candle alike precisely
slavery somebody starts resulting enabled slave imagination requested helping comment sleeping
mercy occurs deeply dogs intelligence concluded training kindly grey succeeded bow denied terror
paths golden stairs update basis seated moments manual examined effective execution snow
concerns arrive steady officer heap wounded reputation voices hosts team faced writer random
inner attribute experiment relationship increasing stuff lands brief succeed slept conscious
layer demand throat sends tells accident divine unlike ending bearing typically economy
destroyed fighting devil waves laughter rough severe enemies critical painted suffered cousin
possibility picked dreadful forest practical million directions citizens burn foolish carriage
obvious registered lock assured token widely clever smiled growth population creation proportion
elsewhere armed weary ignorant ignorance omitted arrival identity inclined thanks shoes
component trip poetry delicate replaced processing midst innocent protected freely calm
comfortable flame substance dying trusted trace answers destroy signal tender remarked introduce
mistress representing submit total schools tale pause consent intention refuse lack sufficiently
struggle supporting hence reduced hang pounds newly curiosity entering volume poet approved
acting flew violent manage solemn safely authors core dull union farm fifteen sensible
consisting frequent belongs goal afford season vision species useless sand leg maid explicitly
defines rage brave establish cat manners contributed bottle frame ashamed indicates owner dozen
distinction numerous north preserved receives west keeps hungry ahead spare identified crying
product birth distinguish rapidly encoded confusion gently blocks considerations recognized
repeat east officers storm ignore closing brain soil necessarily cool raw rare evident
frightened estate wisdom dance affair prior instances dignity saved finds occupied rock
perceived famous silk mile committed superior pick apparently lifted remarkable consistent
managed awful cruel management salt spaces completed recommended difficulties pipe wet sad
captain attend providing effects major affect helped tail records signed distribution faint
supports blame grace excuse sources valuable requests card tied protect flesh parents bones
watched bought reverse indicated admitted individuals army maximum variable expressions exposed
conclusion centre stones developed dependent commonly glance sensitive interval regarding blank
relief sentence farther views evidently sections reduce friendship acts strike cap latest firm
handling conscience apart anxious leads legal notion session lovely examine device represents
failure marks attributes holds hearts identify complex origin papers convinced handsome
universal creatures opinions languages roof reality transport odd shop joined extra blind surely
knees improve seldom mixed slightly sounds shell derived hit addressed possessed sold duties
extreme combination regarded south whereas everywhere informed burning allowing acquaintance
thoroughly shining worn loose acquainted industry band audience huge shoulders rooms soldiers
singing gained doctor granted hanging job fellows drove assistance delivered finger shadow
benefit generated bell feed flow gathered thinks aid hoped beg arranged ball fat average asleep
hearing someone ignored poverty harm exchange relations statement belong science forgot uncle
official shared religious contact directed noted channel extend burst slight stars concerned
despair beat issued national touched differences thousands flying yards affected threw
impression suit shame context recent civil majority bits bent proof attached positive hidden
kitchen temper states equivalent versions philosophy stories spend partly signs reported usage
confess anywhere market political happens sing cloud advanced cup subsequent marry pre woods
glory prefer listening mostly island responsible hole materials solid subjects somewhere liked
references branches treat discuss suitable color generation referred tables stated arise
bringing grand playing classes families crime articles maintained preferred waste principal
presently village rank shore article today apparent habit attempts fate weather bold sooner dust
enjoy algorithm speed distinguished convenient apt production resource hide quietly anybody
streets favour resolved declared immediate friendly waited comfort journey row companion wore
teach motion mad consequence yours sum protection supper mass ended commands wealth track admit
ages hills select comparison gentle relation strongly moon passion stock aside extremely press
hopes movement changing teeth proceed remote interests flag collection stranger exact peculiar
essential dropped proved detail initial fault ease shook increased driven ring output delight
meat depend pity internal fallen fool price affairs sets surface rain guard morrow split branch
pocket clients hate environment wishes falling theory instant specify considerable absence
sought documents variety welcome distinct pulled pages forces shot domain consideration becoming
fond everyone watching gentlemen quarter assigned mechanism ensure wear suffer terrible flower
angry depends specification bare nose keys blow satisfaction extent designed runs array flat
breakfast promised involved pattern explanation board connected countries label kill concern
everybody closely discovery marked darkness passage travel flight boat upper edge faces claim
communication agent compared judgment sick nearer bread horses noticed returning religion worst
pull sharp nobody escaped significant marriage tools implementations actual buy extraordinary
listen feature web facts twelve adding suggested dangerous external net boys warning discover
enable gets satisfied composed spite spirits showing supply exists decide introduced solution
print begun forty root speech matches military mankind breast doors older concerning seconds
portion mistake worthy assume tone laughing instructions pointed skin decided remaining pale
fairly gain spot settled greatly thank corresponding mighty neck shoulder naturally visible
reports series efforts primary orders employed bird program excellent legs highly ears alive
scarcely unique served played express copy fly pure normal hill occurred hung release guess
limit previously courage observe published tall heat preserve requirements principle virtue
resolution wine machine belief breaking highest tired parameters wished telling maintain vain
fix servants smoke minds necessity noble interpreted representation colour bar frequently tongue
couple clearly king physical nations determine ear carrying reasonable taught thrown interested
servant obliged feelings creature extended crowd opposite battle vast moral enemy dressed turns
century smaller valid indicate ability scene smile weight willing mention busy element agreed
reserved fill faith performed proposed possession forgotten height fingers sequence reader
winter kinds altogether talked catch zero unable scope arguments throughout proud narrow
exception applications fish seat beside hurt powerful divided advice game interesting examples
coat successful confidence addresses client advance easier nation loud drive truly animal
project model quality port daily selected agree operations loved mail walls powers noise
starting fifty separated absolute finally spent dream users surprise distant weak files whenever
visit member cast delay worked honour sides explained tears chief grass ladies grown equally
learning showed risk song supposed presented event trade contrary soft laughed bank behavior thy
absolutely thin brown caused spoken forced explain court honest thirty occur relative native cry
weeks joy lists stick dog remained iron happiness engaged rising remembered education killed
bodies operation girls putting silver wants finding fashion scheme growing evil library health
definition pride quick grave lying walking pain completely twice warm drink mode handle earlier
credit extension implementation pleasant imagine seek dry church repeated calls permitted asking
birds lies nine thick clean holding stream lips train performance strings influence obtained
limits contained shut spread familiar clothes arrived ancient windows fancy animals careful
popular via promise receiving drawing finished apply surprised afternoon wrote provides applied
begins yellow broke youth notes established custom summer laugh dare square conditions
principles liberty stage tea join toward taste aware ideas ship drew measure spring sorry
importance rights increase breath expressed stands obtain believed describe sudden garden
knowing desired ordered bottom attack specified clock drawn wonderful judge active social cover
news sister difficulty mentioned ordinary properly independent ends perform laws lose heads
consists understanding treated existence keeping fortune justice calling block issues guide wise
opening capable remains serious danger matters purposes groups effort occasion chair beauty
moving besides remove prepared gentleman constant sky represent sake appropriate limited
community study structure horse causes drop development flowers connection amount pleased broad
wood turning serve music nice regard miles prove fight record raised eat represented afterwards
somewhat struck contents sweet pieces chosen safe correct silent mere replied exist approach
straight produce charge escape elements events perfectly curious husband grew allows degree
touch argument seven services associated create evidence freedom advantage yes enter removed
conduct policy thoughts secure grow appears setting reply double fast stone glass stopped
perfect formed walked etc worse passing wall exercise married month talking building heavy
produced shows modern returns silence discovered draw office conversation image hardly
appearance regular watch offered direct per post larger task duty lie response reading existing
wind unknown reach slowly objects property related born dress corner choice store actions
resources personal caught plan bright box numbers cost figure floor mark progress rose base
created situation speaking practice carefully opportunity possibly die months issue mouth
daughter fresh lower houses food success points greatest application search eight methods fail
sit reasons observed trust looks multiple previous seeing covered offer glad rise learned types
filled becomes accept range direction leading won society waiting gold inside particularly
entered latter entire persons happen features fully shape authority check material understood
moved pleasure loss quickly actually ourselves dinner leaving hot worth cross ran rich river
sufficient design bear books built letters brother details move notice trying sending prevent
condition gives school laid lives walk reached sign afraid sleep standard carry road happened
impossible distance merely minutes special learn separate share lady works ill minute addition
appeared forth stay continue wonder description remain spoke paper thinking started containing
rate access strength exactly expect former leaves window foot desire members meant suddenly wild
lot circumstances expression continued trouble specific values term presence lead uses ones led
blood usual knows feeling follows giving week individual included needed difficult forms mine
chance pay peace bound hair needs attention fit getting fell thousand save wide entirely arm
secret stop art code period avoid middle version history similar standing choose writing natural
yourself determined position placed blue carried cold receive whatever steps respect piece
difference broken nearly easily probably additional beautiful attempt problem lived strange boy
master deal saying certainly cut experience command usually contains goes town working big
require consider fixed wrong front twenty act tried source useful fall path ten questions spirit
contain group bed story fields available war became changed fear terms ways request instance
likely reference meaning pretty directly greater sound simply suppose due intended arms happy
various complete memory write doubt message level fellow green beginning sat seem places step
otherwise empty original based easy eye match girl met hours rules living women evening ready
according written knowledge taking plain force generally changes especially characters soul
current play takes top proper defined follow local immediately six dear wife fine interest
security ought outside remember third effect running lines forward beyond method simple control
death father meet stand lay letter party considered allowed book truth provided early hundred
speak everything bring dead view herself data added including child rule held unless doing
provide action stood answer begin red parts idea returned coming towards children low talk
appear purpose family bad mother account try friends real money feet comes process below start
lost ground further non close sort required sometimes around behind past cases language black
pass hold human future later across indeed show says manner hear allow friend five passed near
brought hard service business sense hope cause instead till received ask gone strong air fire
wish except felt bit clear turned address thus nature therefore heart longer live become
understand described gave year water makes fact necessary care followed poor field days myself
support mean run white why taken whom character rest asked sent hands making power soon person
read seemed reason second looked high general particular round half whose known call among got
keep words kind least times state information change less single itself common saw using
together mind often full form others best going far means above point present few need enough
something rather better thing cannot give order called want world nothing different put things
men life though away off always does people set part take too used upon day our little being own
many might way make over such when
"""

_EXAMPLES = rb'''
2024-03-05 10:15:32,101 INFO [main] server.Listener: Connection from 10.0.0.12:8080 closed
Mar  5 10:15:33 host daemon[1234]: error: failed to open file /var/log/system.log (status = 404)
id,name,type,date,value,city,country
1,"Smith, John",string,1998-11-20,0.25,"New York","United States"
{"id": 17, "name": "value", "type": "object", "items": [{"title": "first"}, null, true],
  "url": "https://www.example.com/index.html"}
# Makefile
all: main.o
	$(CC) $(CFLAGS) -o $@ $^
import os
from typing import Any

class Reader(Base):
    """Return the next line of the file."""

    def __init__(self, name: str = "", size: int = 0) -> None:
        self.name = name
        for key, value in self.items():
            if value is None or not isinstance(value, int):
                raise ValueError(f"{key} is not a number")
        return self.count + 1

function getName(options) {
  const result = document.getElementById("main");
  if (typeof options === 'undefined') { return false; }
  var list = this.items.map((item) => item.name);
  else { throw new Error('not found'); }
  return true;
}

public static void main(String[] args) throws Exception {
    private final int size = 0;
    System.out.println("The end");
}

;;; table.lisp -- a small table of names. -*- Mode: Lisp -*-
(in-package :example)

(defvar *table* nil "Where the entries are kept.")

(defun add-entry (name list &optional (count 0))
  "Add an entry to the table, and return its name."
  (let ((result nil)
        (x (car list)))
    (cond ((null x) nil)
          ((and (listp x) (not (eq (car x) 'quote)))
           (setf result (append result (list (cdr x)))))
          (t (push (cons name x) *table*)))
    (dolist (item list)
      (if (equal item name)
          (return-from add-entry t)
          (format t "~%~A" item)))
    (mapcar #'(lambda (y) (+ y 1)) result)))

(define (map-tree f tree)
  (if (pair? tree)
      (cons (f (car tree)) (map-tree f (cdr tree)))
      '()))

.\" Manual page of turn
.TH TURN 1 "May 2003" "turn 2.1" "User Commands"
.SH NAME
turn \- rotate and scale pictures
.SH SYNOPSIS
.B turn
[\-hqv] [\-a angle] [\-\-width=\fIpixels\fR]
\fIpicture\fR [\fItarget\fR]
.SH DESCRIPTION
.B turn
opens a picture, rotates it by the given angle and saves the result under a
new name. Without a target the picture is shown on the screen until a key is
pressed. Several pictures can be named at once; each is then handled alone.
.SS OPTIONS
.TP
.I "\-a, \-\-angle"
The angle in degrees, clockwise. If this option is missing, 90 is assumed.
.TP
.I "\-q, \-\-quiet"
Print no messages, only errors.
.TP
.B \-h
Show a short help text and leave.
.IP "\fB\-v\fR"
.PP
.nf
.fi
.SH FILES
.I ~/.turnrc
.SH "SEE ALSO"
\fBconvert\fP(1), \fBdisplay\fP(1),
.BR palette (5)
.SH BUGS
Very large pictures are slow; please report other problems to the author.

<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN">
<html lang="en">
<head>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8">
<title>Home Page</title>
<link rel="stylesheet" type="text/css" href="style.css">
</head>
<body bgcolor="#ffffff">
<h1 align="center">About this page</h1>
<p>Please send comments to <a href="mailto:name@example.org">the author</a>.</p>
<ul>
<li><a href="http://www.example.edu/~user/index.html">City Museum</a> - a list of pictures
<LI> <A HREF="http://www.site.com/info.htm">Search the Web</A><BR>
</ul>
<table border="0" width="100%"><tr><td class="left">&nbsp;</td><td>1</td></tr></table>
<div id="footer"><span class="note">Last updated on <i>May 12, 1996</i></span></div>
<IMG SRC="images/logo.gif" ALT="logo"><P><B>Note</B>
<HR>
</body>
</html>

/*
 * chain.c: functions for chains of nodes
 */
#ifndef CHAIN_H
#define CHAIN_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "config.h"

typedef struct node_s {
    char *name;
    unsigned int length;
    struct node_s *next;
} node_t;

extern int errno;
static const char *names[] = { "one", "two", NULL };

/* Return the number of items, or -1 on error. */
int
count_nodes(const node_t *node, int (*test)(const char *, void *))
{
    int i, n = 0;
    char buf[BUFSIZ];

    if (node == NULL)
        return -1;
    for (i = 0; i < node->length; i++) {
        if (strcmp(node->name, "end") == 0) {
            fprintf(stderr, "%s: can't open file %d\n", buf, n);
            exit(1);
        } else if (!node->next) {
            break;
        }
        n++;
        node = node->next;
    }
    while (*p++ != '\0')
        ;
    switch (c) {
    case 'a':
        sizeof(void *);
        free(ptr);
        default: ptr = malloc(n + 1);
    }
    return n;
}
#endif

ACT I. SCENE II. Before the house. Enter the KING and two Lords

  KING. What say you, my good lord? I pray thee, tell me where thou hast been.
  FIRST LORD. If it please your Grace, I know not; yet he hath sworn 'twas done for love.
  KING. Then come, sir, let us go.                           Exeunt

  Of all that heaven and earth beneath the sun
  Have seen, from morning light to darkest night,
  So fair a face, so deep a sorrow none
  Shall find; nor will their souls forget the sight.

CHAPTER I. The Morning

It was a long time before anyone said anything. "Well, I don't see how they could," said the young
woman, looking up at him with her dark eyes; "but I think that you should have told me about it
before." She had been sitting on the other side of the room for an hour, and now she began to feel
very much as if she would like to go home again.

"Oh, it doesn't matter," he answered. "Come here, and let me see what there is in your hand. How
is it that they were not with you yesterday?" And so, without another word, the old man took his hat
from the table, opened the door, and went out into the street. Nothing could be seen of those who
had come through the great gate; perhaps some of them were still under the trees, where we had left
them an hour ago.

For several years the railway along the coast has been the subject of discussion, and a number of
proposals were made to the council. In the first place, the costs of the line are higher than what
was expected. The following section describes how the work should be organised; it includes the
results of two studies which the government and the State University supported between 1986 and
1992. Each station is planned both for passengers and for goods, so that any company may use the
whole network, although this requires more space than other systems do. According to the report,
these plans have not been accepted by the owners of the land themselves, because most of the
expenses would have to be paid by the public. There is another question, however, that was
discussed at the same meeting: whether, during the next three or four years, it will be possible to
build all of the bridges at once. No one seems to believe that it can be done without the help of
foreign engineers. One should not forget that almost every important decision must also be made
within the law, and against the opinion of certain parties. When the King of England died on the
6th of February, his son was at sea; since then, even where it did not really matter, neither of
them ever thought of himself as having a right to be there. "What's the matter?" they cried. "I'm
sure we shall never get back, and it's quite late already!" He couldn't see her, and she wouldn't
look at either of us. At last, after a moment, I heard the voice that I knew so well: "Yes, of
course. That was just what I wanted to say, if only you had been able to wait until I came down."
'''

PRIMER = _WORDS + _EXAMPLES
"""Some 21 KB of ASCII: 1/20 s of the faster variant."""
