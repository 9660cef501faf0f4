"""tmp"""


def drain(settings, home, url):
    return 0
