"""A short text for each charset that is neither UTF-8 nor UTF-16."""

JAPANESE = "東京は日本の首都です。人口は世界で最も多い。\r\n" * 9
RUSSIAN = "Ночь, улица, фонарь, аптека, бессмысленный и тусклый свет.\n" * 9
POLISH = "Źdźbło: gęś i żółw śpią, pięć łodzi płynie ćwierć mili; żaden ptak nie śpiewa.\n" * 9
GREEK = "Άλλη μια μέρα: η θάλασσα είναι ήσυχη και ο ήλιος λάμπει στο νησί.\n" * 9
TEXTS = {
    "windows-1250": POLISH,
    "windows-1251": RUSSIAN,
    "windows-1252": "“L’été”, c’est 12 € – cher… à la fin du mois d’août, dit la dame.\n" * 9,
    "windows-1253": GREEK,
    "windows-1254": "Güneş doğdu; çocuklar ışıkta yürüyor, kuşlar şarkı söylüyor.\n" * 9,
    "windows-1255": "הים שקט והשמש זורחת על האי, והילדים הולכים אל הבית.\n" * 9,
    "windows-1256": "البحر هادئ والشمس تشرق على الجزيرة، والأطفال يعودون إلى البيت.\n" * 9,
    "iso-8859-2": POLISH,
    "iso-8859-5": RUSSIAN,
    "iso-8859-7": GREEK,
    "koi8-r": RUSSIAN,
    "koi8-u": "Ніч, вулиця, ліхтар, аптека; її світло їде по річці в інший бік.\n" * 9,
    "cp866": RUSSIAN,
    "gb18030": "北京是中国的首都，人口很多。我们在学校里学习，他们不知道。\n" * 9,
    "big5": "臺北是一個很大的城市，人口很多。我們在學校裡學習，他們不知道。\n" * 9,
    "shift-jis": JAPANESE,
    "euc-jp": JAPANESE,
    "euc-kr": "서울은 한국의 수도이다. 우리는 학교에서 공부하고 그들은 모른다.\n" * 9,
}
# ISO-8859-1 and -9 are parts of their charsets of Windows, but for control characters.
