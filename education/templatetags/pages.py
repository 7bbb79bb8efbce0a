"""The pages in templates of ours and of others: this clinic's numbers in a text."""

from django import template

from education import rendering

register = template.Library()
register.filter("say", rendering.say)
