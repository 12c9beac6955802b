"""Password rules, said in Chinese (Django's newer sentences have no translation)."""

from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError

from cadres.login import is_known_to_all


class LongEnough(password_validation.MinimumLengthValidator):
    def get_error_message(self):
        return f"密码太短，至少要 {self.min_length} 个字符。"

    def get_help_text(self):
        return f"至少 {self.min_length} 个字符。"


class NotCommon(password_validation.CommonPasswordValidator):
    def validate(self, password, user=None):
        super().validate(password, user)
        if is_known_to_all(password):
            raise ValidationError(self.get_error_message())

    def get_error_message(self):
        return "这个密码太常见，容易被猜到，请换一个。"

    def get_help_text(self):
        return "不能是别人常用的密码。"


class NotOnlyDigits(password_validation.NumericPasswordValidator):
    def get_error_message(self):
        return "密码不能全是数字，请加上字母。"

    def get_help_text(self):
        return "不能全是数字，要有字母。"


class NotLikeOneself(password_validation.UserAttributeSimilarityValidator):
    def __init__(self):
        super().__init__(user_attributes=("username", "name", "phone"))

    def get_error_message(self):
        return "密码和用户名、姓名或手机号太像，请换一个。"

    def get_help_text(self):
        return "不能和用户名、姓名、手机号差不多。"
