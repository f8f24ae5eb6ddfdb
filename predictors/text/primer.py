PRIMER = open("/tmp/lv/pr1200.txt","rb").read()
