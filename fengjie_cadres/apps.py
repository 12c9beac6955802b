"""The roof's and the desk's settings for Django, and what every form says of bad input."""

from django import forms
from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.core import validators

# Where a form does not say it better itself; Django's own words are a machine's.
forms.Field.default_error_messages["required"] = "请填写这一项。"
for choice in (forms.ChoiceField, forms.ModelChoiceField):
    choice.default_error_messages["invalid_choice"] = "请在列表中选择。"
validators.ProhibitNullCharactersValidator.message = "里面有看不见的字符，请删掉重新输入。"
validators.MaxLengthValidator.message = (
    "太长了：最多 %(limit_value)d 个字，现在有 %(show_value)d 个。"
)


class RoofConfig(AppConfig):
    name = "fengjie_cadres"
    verbose_name = "银耀奉节"


class OfficeAdminConfig(AdminConfig):
    default_site = "fengjie_cadres.admin_site.OfficeAdminSite"
