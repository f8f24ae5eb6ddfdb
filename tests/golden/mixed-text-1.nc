NC06‡V¤_â¼¹Œà‰rP±6Súö>bª-uïÚ:D˜XñÜ.±ÁBÑ2Oè?ùÁQVµ7S)bC×wA*Ós©j+t%Ê?
+‚ÔXØävKIU½´~w