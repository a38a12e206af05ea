"""A release that a Job in the cluster drives: handing it over, going on there, following it from here."""
