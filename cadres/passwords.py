"""Password rules, said in Chinese (Django's newer sentences have no translation)."""

from django.contrib.auth import password_validation


class LongEnough(password_validation.MinimumLengthValidator):
    def get_error_message(self):
        return f"密码太短，至少要 {self.min_length} 个字符。"

    def get_help_text(self):
        return f"至少 {self.min_length} 个字符。"


class NotCommon(password_validation.CommonPasswordValidator):
    def get_error_message(self):
        return "这个密码太常见，容易被猜到，请换一个。"


class NotOnlyDigits(password_validation.NumericPasswordValidator):
    def get_error_message(self):
        return "密码不能全是数字，请加上字母。"


class NotLikeOneself(password_validation.UserAttributeSimilarityValidator):
    def get_error_message(self):
        return "密码和用户名或姓名太像，请换一个。"
