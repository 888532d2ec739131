"""The Experiments page's sections: asking the question, watching it run, its results."""
