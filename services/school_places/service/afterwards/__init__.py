"""What happens after the results: answers, waiting lists, appeals, late applications, a second round.

Whatever moves a seat locks its enrolment first, so that of two who act at once the second waits and finds
what the first has done.
"""
