"""Fills a new database by the code of one version: people, requests applied by its own writer, and
requests that are still pending.

A program of its own, which `tests.upgrades.keep` runs in the folder of a version: it may use what
every version has, and asks for what only later ones have.
"""

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finesse.settings")
sys.path.insert(0, str(Path.cwd()))

import django

django.setup()

from django.apps import apps  # noqa: E402
from django.contrib.auth.hashers import MD5PasswordHasher  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

PASSWORD = "correct horse"
APPLIED: tuple[tuple[str, int | None, str, int | None], ...] = (
    # login id, MRD (None: the desktop), request, number of the reason code
    ("ana", 5000, "LOGIN", None),
    ("ana", 5000, "READY", None),
    ("ana", 5000, "READY", None),  # nothing to change
    ("ana", 5000, "NOT_READY", 1),
    ("ana", 5000, "NOT_READY", 3),
    ("ana", 5000, "LOGIN", None),  # an error, as she is signed in
    ("ana", 5001, "READY", None),  # an error, as she is not
    ("ana", 5001, "LOGIN", None),
    ("ana", 5001, "READY", None),
    ("ben", 5002, "LOGIN", None),
    ("ben", 5002, "NOT_READY", 1),
    ("ben", 5002, "LOGOUT", 2),
    ("ben", 5000, "LOGIN", None),  # an error, as it is not his
    ("nobody", 5000, "LOGIN", None),  # an error, as there is no such user
    ("cy", 5000, "LOGIN", None),
    ("cy", 5000, "READY", None),
)
APPLIED_SINCE_DESKTOPS: tuple[tuple[str, int | None, str, int | None], ...] = (
    ("ana", None, "LOGIN", None),
    ("ana", None, "READY", None),
    ("ana", None, "LOGOUT", None),  # an error, from READY
    ("ana", None, "NOT_READY", 1),
    ("ben", None, "LOGIN", None),
    ("ben", None, "LOGOUT", None),
    ("ana", 5001, "NOT_ROUTABLE", None),
    ("ana", 5001, "NOT_ROUTABLE", None),  # an error, as she is not routable
    ("cy", 5000, "CONNECTION_LOST", None),
    ("cy", 5000, "ACTIVE", None),
    ("cy", 5000, "FORCED_LOGOUT", None),
    ("cy", 5000, "LOGIN", None),
    ("cy", 5000, "CONNECTION_LOST", None),
)
PENDING: tuple[tuple[str, int | None, str, int | None], ...] = (
    ("ana", 5000, "READY", None),
    ("ana", 5001, "LOGOUT", 2),
    ("ben", 5002, "LOGIN", None),
    ("ben", 5002, "NOT_READY", 1),
    ("nobody", 5000, "READY", None),
    ("ana", 5000, "READY", None),
)
PENDING_SINCE_DESKTOPS: tuple[tuple[str, int | None, str, int | None], ...] = (
    ("cy", 5000, "NOT_READY", 1),
    ("ana", None, "READY", None),
    ("ben", None, "NOT_READY", 1),
)


def model(name: str) -> Any:
    """None if this version does not have it."""
    try:
        return apps.get_model(name)
    except LookupError:
        return None


def fill() -> None:
    create_people()
    has_desktops = model("media.Desktop") is not None
    writer = import_module(
        "media.writing.writer" if Path("media/writing").is_dir() else "media.writer"
    )
    for one in APPLIED + (APPLIED_SINCE_DESKTOPS if has_desktops else ()):
        request(*one)
        writer.apply_pending()
    add_what_later_versions_have()
    for one in PENDING + (PENDING_SINCE_DESKTOPS if has_desktops else ()):
        request(*one)


def create_people() -> None:
    user, team, mrd, media = map(
        model, ("users.User", "users.Team", "media.MediaRoutingDomain", "media.Media")
    )
    code = model("reasoncodes.ReasonCode")
    chat = team.objects.create(name="Chat")
    tasks = team.objects.create(name="Back office")
    # As the tests' settings have it: the service's costs half a second for each look.
    hasher = MD5PasswordHasher()
    password = hasher.encode(PASSWORD, hasher.salt())
    for login_id, of_team, extra in (
        ("ana", chat, {}),
        ("ben", tasks, {}),
        ("cy", chat, {}),
        ("sue", None, {"is_supervisor": True}),
        ("admin", None, {"is_superuser": True}),
    ):
        user.objects.create(
            login_id=login_id,
            password=password,
            first_name=login_id.title(),
            last_name="Example",
            team=of_team,
            **extra,
        )
    chat.supervisors.add(user.objects.get(pk="sue"))
    for pk, name in ((5000, "Chat"), (5001, "Email"), (5002, "Tasks")):
        mrd.objects.create(pk=pk, name=name, description=f"{name} of all", interruptible=pk == 5000)
    for login_id, pk in (("ana", 5000), ("ana", 5001), ("ben", 5002), ("cy", 5000)):
        media.objects.create(user_id=login_id, mrd_id=pk)
    code.objects.create(category="NOT_READY", code=1, label="Lunch", for_all=True)
    coaching = code.objects.create(category="NOT_READY", code=3, label="Coaching", for_all=False)
    coaching.teams.add(chat)
    code.objects.create(category="LOGOUT", code=2, label="End of shift", for_all=True)


def request(login_id: str, mrd_id: int | None, requested: str, code: int | None) -> None:
    category = "LOGOUT" if requested == "LOGOUT" else "NOT_READY"
    reason = code and model("reasoncodes.ReasonCode").objects.get(
        category=category, code=code, system_code=False
    )
    options = {}
    if requested == "LOGIN" and mrd_id is not None:
        options = {
            "max_dialog_limit": 5,
            "interrupt_action": "ACCEPT",
            "dialog_logout_action": "CLOSE",
        }
    if requested == "LOGIN" and mrd_id is None:
        options = {"extension": "1001"}
    made = model("media.MediaRequest").objects
    by_system = requested in ("FORCED_LOGOUT", "CONNECTION_LOST")
    made.create(
        login_id=login_id,
        mrd_id=mrd_id,
        requested=requested,
        reason_code=reason or None,
        request_id=f"r-{made.count() + 1}",
        cause="system" if by_system else "self",
        actor="" if by_system else login_id,
        accepted_at=timezone.now(),
        **options,
    )


def add_what_later_versions_have() -> None:
    now = timezone.now()
    if subscription := model("notifications.Subscription"):
        subscription.objects.create(login_id="sue", node="/finesse/api/Team/1/Users")
    if failures := model("users.SignInFailures"):
        failures.objects.create(login_id="ana", origin="192.0.2.1", count=2, last_at=now)
    for name in ("service.Watched", "presence.Watched"):
        if watched := model(name):
            watched.objects.create(login_id="ana")
    lunch = model("reasoncodes.ReasonCode").objects.get(label="Lunch")
    if correction := model("media.IntervalCorrection"):
        interval = model("media.StateInterval").objects.filter(reason_code__label="Coaching")[0]
        correction.objects.create(
            interval=interval, reason_code=lunch, code=1, label="Lunch", actor="sue", at=now
        )
    if waiting := model("media.WaitingChange"):
        waiting.objects.create(
            login_id="ana",
            mrd_id=5001,
            requested="NOT_READY",
            reason_code=lunch,
            cause="supervisor",
            actor="sue",
            created_at=now,
        )
    if rule := model("media.BreakRule"):
        rule.objects.create(reason_code=lunch, most_at_once=9, maximum_minutes=45)
    if Path("media/use_counting.py").exists():
        while import_module("media.use_counting").count_new():
            pass
    if Path("media/reports/hourly.py").exists():
        while import_module("media.reports.hourly").make_some():
            pass


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    fill()
