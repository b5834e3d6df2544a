"""The house rules: imports and relations point down, documents match the code."""

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from django.apps import apps

from finesse.api import errors
from finesse.production.processes import PROCESSES
from media.models import Desktop, Media
from tests.house.circles import circles
from tests.house.layers import layers, outside
from tests.house.picture import picture
from tests.house.private_names import private_names
from tests.house.source import Tree

ROOT = Path(__file__).resolve().parents[2]
TREE = Tree(ROOT)
"""Each module is parsed once for all of these tests."""
LAYERS = ["service", "users", "notifications", "reasoncodes", "media"]
"""Our apps with models, from the platform upwards."""


def test_imports_point_down() -> None:
    lint = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("label", LAYERS)
def test_relations_between_models_point_down(label: str) -> None:
    """Foreign keys by name are no imports, but they bind all the same."""
    allowed = {*LAYERS[: LAYERS.index(label) + 1], "auth", "contenttypes"}
    for model in apps.get_app_config(label).get_models(include_auto_created=True):
        for field in model._meta.get_fields():
            if field.is_relation and not field.auto_created and field.related_model:
                assert field.related_model._meta.app_label in allowed, field


def test_every_app_with_models_has_its_layer() -> None:
    ours = {
        config.label
        for config in apps.get_app_configs()
        if Path(config.path).is_relative_to(ROOT)
        and not Path(config.path).is_relative_to(Path(sys.prefix))
        and any(config.get_models())
    }
    assert ours == set(LAYERS)


# --- one emitter, one writer --------------------------------------------------------------------

MAKING = {"create", "bulk_create", "get_or_create", "update_or_create", "BulkInsert", "Insertion"}
CHANGING = MAKING | {"update", "bulk_update", "BulkUpdate", "Media", "Desktop"}
STATE_FIELDS = {field.name for field in Media._meta.fields if not field.editable} | {
    field.name for field in Desktop._meta.fields if not field.primary_key
}


def product() -> Iterator[tuple[str, ast.Module]]:
    """Each module of the product by its path, without migrations."""
    for package in ("finesse", "media", "reasoncodes"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def called(call: ast.Call) -> str:
    """The last name of the called expression."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def names_in(tree: ast.AST) -> set[str]:
    """All names in it: variables, attributes, keywords, and the texts that are one word."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
                found.add(name)
            case ast.Constant(value=str(name)):
                found.add(name)
    return found


def makes_a_notification(module: ast.Module) -> bool:
    """Whether it writes rows of the log's class; the description has one of the same name."""
    imported = {
        alias.asname or alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and node.module == "finesse.notifications.models"
        for alias in node.names
        if alias.name == "Notification"
    }
    return any(
        called(node) in {*MAKING, "save"} and names_in(node) & imported
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
    )


def changes_a_state(module: ast.Module) -> bool:
    for node in ast.walk(module):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Attribute) and target.attr in STATE_FIELDS:
                    return True
        elif isinstance(node, ast.Call) and called(node) in CHANGING:
            given = set().union(*(names_in(one) for one in (*node.args, *node.keywords)))
            if given & STATE_FIELDS:
                return True
    return False


def test_statements_off_the_loop_run_in_threads_whose_connections_are_counted() -> None:
    """Each thread keeps a connection to PostgreSQL; asyncio's own are as many as it likes."""
    uncounted = [
        f"{path}:{node.lineno}"
        for path, module in product()
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and called(node) in {"off_loop", "database_sync_to_async"}
        if {"thread_sensitive"} == {one.arg for one in node.keywords}
    ]
    assert uncounted == []


def test_only_the_log_makes_notifications() -> None:
    makers = {path for path, module in product() if makes_a_notification(module)}
    assert makers == {"finesse/notifications/log.py"}


def test_only_the_writing_room_changes_a_state() -> None:
    changers = {path for path, module in product() if changes_a_state(module)}
    assert {str(Path(path).parent) for path in changers} == {"media/writing"}


@pytest.mark.parametrize(
    "code",
    [
        "media.state = State.READY",
        "user.desktop.extension = ''",
        "Media.objects.filter(user=login_id).update(state=State.READY)",
        "Media.objects.create(user=user, mrd=mrd, routable=True)",
        "Desktop(user=user, state=state)",
        "Media.objects.get_or_create(user=user, defaults={'state': state})",
        "Media.objects.bulk_update(found, ['state'])",
        "UPDATE = BulkUpdate(Media, ('reason_code',))",
    ],
)
def test_the_rule_knows_each_way_to_change_a_state(code: str) -> None:
    assert changes_a_state(ast.parse(code))


@pytest.mark.parametrize(
    "code",
    [
        "Notification(position=1).save()",
        "Notification.objects.bulk_create(found)",
        "_WRITE = BulkInsert(Notification)",
    ],
)
def test_the_rule_knows_each_way_to_make_a_notification(code: str) -> None:
    imported = "from finesse.notifications.models import Notification\n"
    assert makes_a_notification(ast.parse(imported + code))
    assert not makes_a_notification(ast.parse(code))


# --- documents ----------------------------------------------------------------------------------


def test_each_error_stands_in_the_table_once() -> None:
    rows = list(errors.TABLE.values())
    assert len(rows) == len(set(rows))
    arm = [row for row in rows if row.message.startswith("E_ARM_STAT_")]
    # The page of the mode's error prints the sign-in's number; its own is not known.
    numbers = [row.data for row in arm if row is not errors.ALREADY_IN_REQUESTED_AGENT_MODE]
    assert len(set(numbers)) == len(numbers)


def test_no_packages_import_each_other_in_a_circle() -> None:
    assert circles(TREE) == []


def test_every_module_stands_in_a_layer() -> None:
    assert outside(TREE) == []


def test_each_private_name_of_a_library_has_its_reason() -> None:
    """`make house DETAILS=1` lists them."""
    table = (ROOT / "docs" / "decisions" / "libraries.md").read_text()
    rows = re.findall(r"^\| (`_.*?) \|", table, re.MULTILINE)
    assert set(re.findall(r"_\w+", " ".join(rows))) == set(private_names(TREE))


def test_the_picture_of_the_layers_is_drawn_from_the_contracts() -> None:
    """`make house` draws it anew."""
    assert (ROOT / "docs" / "layers.svg").read_text() == picture(layers(TREE))


def test_circles_are_seen_through_types_functions_and_the_user_model(tmp_path: Path) -> None:
    texts = {
        "finesse/__init__.py": "",
        "finesse/types.py": "if TYPE_CHECKING:\n    from media import models",
        "finesse/users/__init__.py": "",
        "finesse/users/models.py": "def late():\n    import finesse.api",
        "finesse/api.py": "found = get_user_model()",
        "media/__init__.py": "",
        "media/models.py": "from finesse.types import Name",
    }
    for name, text in texts.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert circles(Tree(tmp_path)) == [["finesse.api", "finesse.users"], ["finesse.types", "media"]]


DOCUMENTS = sorted(
    path.relative_to(ROOT)
    for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
    if path.name != "changelog.md"
)


@pytest.mark.parametrize(
    "document",
    # A decision that has fallen may name a file that is gone.
    [one for one in DOCUMENTS if one.parent.name != "decisions"],
    ids=str,
)
def test_a_document_names_only_files_that_are_there(document: Path) -> None:
    named = re.findall(
        r"`((?:finesse|media|reasoncodes|templates|tests|docs|deploy|benchmarks)/[^`*<… ]*)`",
        (ROOT / document).read_text(),
    )
    assert [name for name in sorted({*named}) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_a_documents_links_lead_somewhere(document: Path) -> None:
    text = (ROOT / document).read_text()
    for link, heading in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", text):
        target = (ROOT / document.parent / link) if link else ROOT / document
        assert target.exists(), link
        assert not heading or heading in anchors(target.read_text()), (link, heading)


def anchors(text: str) -> set[str]:
    """The names that links to headings have."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_a_documents_make_targets_exist(document: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"(?:^|`|&& )make ([a-z-]+)", (ROOT / document).read_text(), re.MULTILINE)
    assert {*named} <= {*targets}


def test_the_index_has_each_decision_and_the_next_number() -> None:
    index = (ROOT / "docs/decisions.md").read_text()
    listed = re.findall(r"^\| \[.*\]\((decisions/.*)\) \|.*\|([^|]*)\|$", index, re.MULTILINE)
    decisions = re.compile(r"^- (~~)?\*\*(\d+)\. ", re.MULTILINE)
    made = {
        f"decisions/{document.name}": sorted(
            int(number) for _, number in decisions.findall(document.read_text())
        )
        for document in (ROOT / "docs/decisions").glob("*.md")
    }
    assert {name: [int(one) for one in re.findall(r"\d+", said)] for name, said in listed} == made
    assert f"The next number is {max(map(max, filter(None, made.values()))) + 1}." in index


def test_every_setting_from_the_environment_is_documented() -> None:
    settings = (ROOT / "finesse" / "settings.py").read_text()
    variables = set(re.findall(r'(?:env\.\w+|_list)\(\s*"([A-Z_]+)"', settings))
    # `production` looks at these before there are settings.
    variables |= {one for each in PROCESSES for one in (each.variable, each.port_variable) if one}
    variables.add("FINESSE_LISTEN")
    table = (ROOT / "docs" / "settings.md").read_text()
    assert set(re.findall(r"^\| `([A-Z_]+)`", table, re.MULTILINE)) == variables


@pytest.mark.parametrize("transport", ["kombu.transport.redis", "kombu.transport.pyamqp"])
def test_what_a_broker_of_the_readme_needs_is_required_by_the_service(transport: str) -> None:
    """Kombu imports what it does not require; the tests' own requirements would hide it."""
    required = (ROOT / "requirements.txt").read_text().replace("redis[hiredis]", "redis")
    source = inspect.getsource(import_module(transport))
    imported = set(re.findall(r"^\s*(?:from|import) (\w+)", source, re.MULTILINE))
    distributions = packages_distributions()
    missing = {
        name
        for name in imported - sys.stdlib_module_names
        if not any(f"\n{one}==" in required for one in distributions.get(name, []))
    }
    assert missing == set()


def test_requirements_are_hashed_and_name_no_host() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text
        assert "--index-url" not in text
        assert "--find-links" not in text


# --- tests ----------------------------------------------------------------------------------------


HTTPX = {"get", "put", "post", "delete", "head", "options", "request", "Client", "AsyncClient"}


def test_no_test_gives_a_server_httpx_own_five_seconds() -> None:
    """A busy machine takes longer for an answer in which nothing is wrong."""
    found = []
    for path in (ROOT / "tests").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
                continue
            name = ast.unparse(call.func).split(".")
            given = {keyword.arg for keyword in call.keywords}
            # Without a network there is nothing to wait for; options come from their own place.
            if (
                name[0] == "httpx"
                and name[-1] in HTTPX
                and not given & {"timeout", "transport", None}
            ):
                found.append(f"{path.relative_to(ROOT)}:{call.lineno}")
    assert not found


def test_no_test_takes_anything_from_another_module_of_tests() -> None:
    """What two of them need is in `tests/kit/`, or in a conftest.py."""
    found = [
        f"{path.relative_to(ROOT)}: {node.module}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and re.search(r"\.test_\w+$", node.module or "")
    ]
    assert found == []
