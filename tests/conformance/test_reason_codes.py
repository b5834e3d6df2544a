"""Reason codes: the configuration."""

from collections.abc import Iterator

import pytest
from kit.agent import Agent
from kit.client import Caller
from kit.configuration import Configuration
from kit.evidence import Node
from kit.pages import (
    CAPTURE,
    CLIENT_REQUESTS,
    MANAGE_REASON_CODES,
    MEDIA_PARAMETERS,
    REASON_CODE,
    REASON_CODE_ERRORS,
    REASON_CODE_LOOKUP,
    REASON_CODE_PARAMETERS,
    guide,
)
from kit.reason_codes import ELEMENTS, ReasonCodes, id_of, new_label, reason_code
from kit.statements import choice, statement

API_ERROR = "Finesse API Error"
UNKNOWN = "2147483646"


@pytest.fixture
def codes(admin: Caller) -> Iterator[ReasonCodes]:
    with ReasonCodes(admin) as codes:
        yield codes


def listed(caller: Caller, category: str) -> list[Node]:
    found = caller.get(f"ReasonCodes?category={category}").document("ReasonCodes")
    return found.every("ReasonCode")


# --- Reading --------------------------------------------------------------------------------------


@statement(
    "A reason code has uri, category, code, label, forAll and systemCode, and its id, as created",
    REASON_CODE,
    REASON_CODE_PARAMETERS,
    CAPTURE,
)
def test_elements(codes: ReasonCodes) -> None:
    fields = codes.fields(forAll=False)
    pk = codes.make(**fields)
    shown = codes.get(pk).has_in_order(*ELEMENTS)
    shown.has(uri=f"/finesse/api/ReasonCode/{pk}", id=pk, systemCode=False, **fields)


@statement("Agents may read a reason code, too", guide(237))
def test_agents_read(agent: Agent, configuration: Configuration) -> None:
    reason = configuration["not_ready"]
    agent.get(f"ReasonCode/{reason}").document("ReasonCode").has(id=reason)


@statement("A reason code that does not exist is 404", REASON_CODE_ERRORS)
def test_unknown(admin: Caller) -> None:
    path = f"ReasonCode/{UNKNOWN}"
    admin.get(path).refuses(404, "Not Found")
    admin.put(path, reason_code(label=new_label())).refuses(404, "Not Found")
    admin.delete(path).refuses(404, "Not Found")


@statement("The list is <ReasonCodes>, and names its category in an attribute", REASON_CODE)
@pytest.mark.parametrize("category", ["NOT_READY", "LOGOUT", "ALL"])
def test_list(admin: Caller, configuration: Configuration, category: str) -> None:
    found = admin.get(f"ReasonCodes?category={category}").document("ReasonCodes")
    if found.element.get("category") != category:
        found.fail(f'category="{category}"', str(found.element.get("category")))
    wanted = {"NOT_READY": ["not_ready"], "LOGOUT": ["logout"]}
    for name in wanted.get(category, ["not_ready", "logout"]):
        if not any(one.matches(id=configuration[name]) for one in found.every("ReasonCode")):
            found.fail(f"the reason code {configuration[name]}", "not this one")
    for one in found.every("ReasonCode"):
        one.has_in_order(*ELEMENTS)


@choice("A list or a lookup without one of the categories is 400 Bad Request", REASON_CODE)
@pytest.mark.parametrize("query", ["", "?category=", "?category=not_ready", "?category=X&code=1"])
def test_category(admin: Caller, query: str) -> None:
    admin.get(f"ReasonCodes{query}").refuses(400, "Bad Request")
    admin.get(f"ReasonCode{query}").refuses(400, "Bad Request")


@choice("A reason code is looked up by its category and code", REASON_CODE_LOOKUP)
def test_lookup(agent: Agent, codes: ReasonCodes) -> None:
    fields = codes.fields(category="LOGOUT")
    pk = codes.make(**fields)
    path = f"ReasonCode?category=LOGOUT&code={fields['code']}"
    agent.get(path).document("ReasonCode").has(id=pk, label=fields["label"])
    agent.get(path.replace("LOGOUT", "NOT_READY")).refuses(404, "Not Found")
    agent.get("ReasonCode?category=LOGOUT&code=first").refuses(400, "Bad Request")


# --- Creating -------------------------------------------------------------------------------------


@statement("POST is answered 200 with an empty body and the new object's URL", REASON_CODE)
def test_create(codes: ReasonCodes) -> None:
    answer = codes.post().is_(200).is_empty()
    location = answer.headers.get("location", "")
    if not location.startswith(("https://", "http://")) or not id_of(answer).isdecimal():
        answer.fail("Location: https://…/finesse/api/ReasonCode/<id>", location or "none")
    codes.get(id_of(answer))


@statement("Category, code, label and forAll are all needed", REASON_CODE)
@pytest.mark.parametrize("name", ["category", "code", "label", "forAll"])
def test_missing(codes: ReasonCodes, name: str) -> None:
    codes.post(**{name: None}).error(400)


INVALID = [
    ("category", "BREAK"),
    ("category", "ALL"),
    ("code", "0"),
    ("code", "65536"),
    ("code", "-1"),
    ("code", "twelve"),
    ("label", "x" * 41),
    ("forAll", "maybe"),
]


@statement(
    "The category is NOT_READY or LOGOUT, the code 1 to 65535, the label at most 40 characters, "
    "forAll a boolean",
    REASON_CODE_PARAMETERS,
)
def test_limits(codes: ReasonCodes) -> None:
    for name, value in INVALID:
        codes.post(**{name: value}).error(400)
    label = new_label().ljust(40, "x")
    codes.get(codes.make(label=label, forAll="true")).has(label=label)


@choice(
    "What is missing is Parameter Missing, what is wrong Invalid Input, with its name as ErrorData",
    REASON_CODE_ERRORS,
)
def test_types_of_errors(codes: ReasonCodes) -> None:
    for name in ("category", "code", "label", "forAll"):
        codes.post(**{name: None}).refuses(400, "Parameter Missing", data=name)
    for name, value in [*INVALID, ("label", ""), ("label", "  "), ("systemCode", "true")]:
        codes.post(**{name: value}).refuses(400, "Invalid Input", data=name)


@statement("Blanks around a label are removed", MANAGE_REASON_CODES)
def test_blanks(codes: ReasonCodes) -> None:
    label = new_label()
    codes.get(codes.make(label=f"  {label}\t")).has(label=label)


@statement("A category has a code once, and a label once", REASON_CODE_PARAMETERS)
@pytest.mark.parametrize("name", ["code", "label"])
def test_duplicates(codes: ReasonCodes, name: str) -> None:
    first = codes.fields()
    codes.make(**first)
    codes.post(**{name: first[name]}).refuses(400, API_ERROR)
    second = codes.make()
    body = reason_code(**{name: first[name]})
    codes.admin.put(f"ReasonCode/{second}", body).refuses(400, API_ERROR)


@statement("The other category may have the same code and label", REASON_CODE_PARAMETERS)
def test_other_category(codes: ReasonCodes) -> None:
    fields = codes.fields()
    codes.make(**fields)
    codes.make(**{**fields, "category": "LOGOUT"})


@choice("Labels are the same in upper and lower case", MANAGE_REASON_CODES)
def test_case_of_labels(codes: ReasonCodes) -> None:
    label = new_label()
    codes.make(label=label)
    codes.post(label=label.swapcase()).refuses(400, API_ERROR, data="label")


@statement(
    "A label with special characters is the same everywhere: A&B<C",
    MEDIA_PARAMETERS,
    guide(345),
)
def test_escaping(agent: Agent, codes: ReasonCodes) -> None:
    label = f"A&B<C \"'>é{new_label()[-13:]}"
    pk = codes.make(label=label)
    codes.get(pk).has(label=label)
    agent.is_in("READY")
    agent.change(agent.body("NOT_READY", pk), reasonCodeId=pk).child("ReasonCode").has(label=label)
    agent.get_media().child("ReasonCode").has(label=label)
    agent.is_in("READY")


# --- Changing and deleting ------------------------------------------------------------------------


@statement("PUT changes code, label and forAll, each alone or together", REASON_CODE)
def test_change(codes: ReasonCodes) -> None:
    fields = codes.fields()
    pk = codes.make(**fields)
    for change in (
        {"code": codes.free_code()},
        {"label": new_label()},
        {"forAll": False},
        {"code": codes.free_code(), "label": new_label(), "forAll": True},
    ):
        codes.admin.put(f"ReasonCode/{pk}", reason_code(**change)).is_(200)
        fields |= change
        codes.get(pk).has(**fields)


@statement("PUT with none of them is Invalid Input", REASON_CODE, guide(241))
def test_no_change(codes: ReasonCodes) -> None:
    pk = codes.make()
    codes.admin.put(f"ReasonCode/{pk}", "<ReasonCode/>").refuses(400, "Invalid Input")


@statement("Of an element that is repeated in a PUT the last one counts", guide(241))
def test_repeated(codes: ReasonCodes) -> None:
    pk, label = codes.make(), new_label()
    body = f"<ReasonCode><label>{new_label()}</label><label>{label}</label></ReasonCode>"
    codes.admin.put(f"ReasonCode/{pk}", body).is_(200)
    codes.get(pk).has(label=label)


@statement("The category cannot be changed", REASON_CODE_PARAMETERS)
def test_change_category(codes: ReasonCodes) -> None:
    pk = codes.make()
    codes.admin.put(f"ReasonCode/{pk}", reason_code(category="LOGOUT", label=new_label()))
    codes.get(pk).has(category="NOT_READY")


@choice(
    "A PUT that would is Invalid Input; who sends the whole object back is understood",
    REASON_CODE_PARAMETERS,
)
def test_whole_object(codes: ReasonCodes) -> None:
    pk = codes.make()
    body = reason_code(category="LOGOUT", label=new_label())
    codes.admin.put(f"ReasonCode/{pk}", body).refuses(400, "Invalid Input", data="category")
    shown = codes.get(pk)
    whole = {name: shown.text(name) for name in shown.names}
    label = new_label()
    codes.admin.put(f"ReasonCode/{pk}", reason_code(**{**whole, "label": label})).is_(200)
    codes.get(pk).has(**{**whole, "label": label})


@statement("DELETE is answered 200, and the reason code is gone", REASON_CODE)
def test_delete(codes: ReasonCodes) -> None:
    pk = codes.make()
    codes.admin.delete(f"ReasonCode/{pk}").is_(200)
    codes.admin.get(f"ReasonCode/{pk}").is_(404)
    codes.admin.delete(f"ReasonCode/{pk}").is_(404)


@choice(
    "A reason code that is in use can be deleted: nobody can choose it, its code is free",
    MANAGE_REASON_CODES,
)
def test_delete_used(agent: Agent, codes: ReasonCodes) -> None:
    fields = codes.fields()
    pk = codes.make(**fields)
    agent.is_in("READY")
    agent.change(agent.body("NOT_READY", pk), reasonCodeId=pk)
    codes.admin.delete(f"ReasonCode/{pk}").is_(200)
    agent.get(f"ReasonCode/{pk}").refuses(404, "Not Found")
    agent.is_in("READY")
    agent.put_media(agent.body("NOT_READY", pk)).refuses(400, "Invalid Input")
    codes.make(**fields)


# --- Of the system, and for whom ------------------------------------------------------------------


@choice(
    "Administrators are shown the system's codes, with its prefixes in their labels",
    MANAGE_REASON_CODES,
    REASON_CODE,
)
def test_system_codes(admin: Caller) -> None:
    prefixes = {"NOT_READY": "Not Ready - ", "LOGOUT": "Logged Out - "}
    documented = {
        "NOT_READY": {32767, 32762, 50002, 50010, 65535, 65534, 65533, 20001, 20003, 999},
        "LOGOUT": {50001, 50002, 50003, 50004, 50020, 50030, 50040, 50042, 20002, 999, 255},
    }
    for category, wanted in documented.items():
        found = listed(admin, category)
        of_system = [one for one in found if one.matches(systemCode=True)]
        missing = wanted - {int(one.text("code")) for one in of_system}
        if missing:
            found[0].fail(f"the system's codes {wanted}", f"all but {missing}")
        for one in of_system:
            if not one.text("label").startswith(prefixes[category]):
                one.fail(f"a label that begins with {prefixes[category]}", one.text("label"))


@choice(
    "The system's codes are neither changed nor deleted nor taken for others: Finesse API Error",
    MANAGE_REASON_CODES,
)
def test_system_codes_stay(codes: ReasonCodes) -> None:
    found = [one for one in listed(codes.admin, "LOGOUT") if one.matches(systemCode=True)]
    path = f"ReasonCode/{found[0].text('id')}"
    codes.admin.put(path, reason_code(label=new_label())).refuses(400, API_ERROR)
    codes.admin.delete(path).refuses(400, API_ERROR)
    code = found[0].text("code")
    codes.post(category="LOGOUT", code=code).refuses(400, API_ERROR)


@statement(
    "The configuration is for administrators: others get Authorization Failure",
    CLIENT_REQUESTS,
    guide(205),
)
@pytest.mark.parametrize("role", ["other", "supervisor"])
def test_others(
    request: pytest.FixtureRequest, codes: ReasonCodes, configuration: Configuration, role: str
) -> None:
    caller: Caller = request.getfixturevalue(role)
    fields = codes.fields()
    path = f"ReasonCode/{configuration['not_ready']}"
    for answer in (
        caller.get("ReasonCodes?category=NOT_READY"),
        caller.post("ReasonCode", reason_code(**fields)),
        caller.put(path, reason_code(label=fields["label"])),
        caller.delete(f"ReasonCode/{codes.make()}"),
    ):
        answer.refuses(401, "Authorization Failure", message="UNAUTHORIZED")
