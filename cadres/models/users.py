"""Users. Which role someone has is said by groups (cadres/roles.py) and by branch seats."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from cadres.history import tracked
from cadres.masking import digest


class UserManager(BaseUserManager):
    def create_user(self, username, password=None, **fields):
        """A user; without a password nobody can log in as it."""
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, username, password=None, **fields):
        return self.create_user(username, password, is_staff=True, is_superuser=True, **fields)


@tracked(exclude=("password", "last_login", "phone"), also=("two-step-on", "two-step-off"))
class User(AbstractBaseUser, PermissionsMixin):
    """用户"""

    username = models.CharField("用户名", max_length=60, unique=True)
    phone = models.CharField(
        "手机号",
        max_length=11,
        null=True,
        blank=True,
        unique=True,
        validators=[RegexValidator(r"^1\d{10}$", "手机号是 11 位数字。")],
    )
    name = models.CharField("姓名", max_length=60)
    retiree = models.OneToOneField(
        "cadres.Retiree", models.PROTECT, null=True, blank=True, verbose_name="老同志本人"
    )
    community = models.ForeignKey(
        "cadres.Community", models.PROTECT, null=True, blank=True, verbose_name="所在村(社区)"
    )
    phone_digest = models.CharField(max_length=32, blank=True, editable=False)
    password_changed_at = models.DateTimeField("密码改于", null=True, blank=True, editable=False)
    must_change_password = models.BooleanField("下次登录要改密码", default=False)
    is_staff = models.BooleanField("可进后台", default=False)
    is_active = models.BooleanField("启用", default=True)
    date_joined = models.DateTimeField("开户时间", default=timezone.now)

    objects = UserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        verbose_name = "用户"
        verbose_name_plural = "用户"
        constraints = [
            models.CheckConstraint(
                condition=Q(phone=None) | Q(phone__regex=r"^1\d{10}$"),
                name="user_phone_form",
                violation_error_message="手机号是 11 位数字。",
            )
        ]

    def __str__(self):
        return self.name or self.username

    def save(self, *args, **kwargs):
        """Keeps beside the phone what the history tells of it."""
        self.phone_digest = digest(self.phone)
        super().save(*args, **kwargs)

    def set_password(self, raw_password):
        """The history tells that, not what: the time stands beside the password."""
        super().set_password(raw_password)
        self.password_changed_at = timezone.now()

    def get_full_name(self):
        return str(self)

    def get_short_name(self):
        return str(self)


@tracked()
class UserRole(User.groups.through):
    """用户的角色（谁在哪个组），只为记录变动"""

    class Meta:
        proxy = True
        verbose_name = "用户角色"
        verbose_name_plural = "用户角色"
