from django.contrib.auth.forms import AuthenticationForm


class LoginForm(AuthenticationForm):
    error_messages = {
        "invalid_login": "用户名（或手机号）或密码不对，请再试一次。忘记了请打办公室电话。",
        "inactive": "用户名（或手机号）或密码不对，请再试一次。忘记了请打办公室电话。",
    }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "用户名或手机号"
        self.fields["password"].label = "密码"
