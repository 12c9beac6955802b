from django.http import HttpResponse


def home(r):
    return HttpResponse("")
