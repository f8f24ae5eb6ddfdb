"""Training a correction of the model, and measuring it: texts, command lines."""

from nacrith.system.own_packages import check_packages

check_packages("corpora")
