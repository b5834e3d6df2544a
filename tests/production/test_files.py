"""The files of deploy/ are those that the table of processes makes, and their tools take them.

There is no kubeconform and no container engine here: the manifests are checked by what refers to
what, and by what their commands, ports and variables are; the container image is not built.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from django.core.management import call_command
from django.core.management.base import CommandError

from finesse import readiness
from finesse.production.environment import of_supervisor
from finesse.production.files import Ports, Site, haproxy, made, nginx
from finesse.production.processes import PROCESSES, Service
from finesse.tls.own_certificate import make_or_renew
from tests.faults.stores import until
from tests.kit.installation import ROOT, TIMEOUT_SECONDS, free_port

FILES = made(Site())


def tool(name: str) -> str:
    """Where it is, or the end of the test; in CI each has to be there."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if not found and os.environ.get("REQUIRE_SERVICES") != "1":
        pytest.skip(f"{name} is not installed")
    assert found, f"{name} is not installed"
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("tls")
    pair = make_or_renew(folder, ["localhost"])
    both = folder / "both.pem"
    both.write_bytes(pair.certificate.read_bytes() + pair.key.read_bytes())
    return Site(
        host="localhost",
        certificate=str(pair.certificate),
        key=str(pair.key),
        both=str(both),
        machines=("192.0.2.1", "192.0.2.2"),
        ports=Ports(plain=free_port(), secure=(free_port(), free_port())),
    )


def test_the_files_of_the_repository_are_as_the_table_makes_them(tmp_path: Path) -> None:
    call_command("deploy_files", check=True)
    call_command("deploy_files", to=tmp_path)
    call_command("deploy_files", to=tmp_path, check=True)
    (tmp_path / "nginx" / "finesse.conf").write_text("of somebody else")
    with pytest.raises(CommandError, match=r"nginx/finesse\.conf"):
        call_command("deploy_files", to=tmp_path, check=True)


def test_no_file_lies_in_deploy_that_nothing_makes() -> None:
    there = {
        str(path.relative_to(ROOT / "deploy"))
        for path in (ROOT / "deploy").rglob("*")
        if path.is_file() and path.parent.name not in {"prosody", "prometheus", "grafana"}
    }
    assert there == set(FILES)


def test_nginx_takes_its_file(site: Site, tmp_path: Path) -> None:
    main = tmp_path / "nginx.conf"
    (tmp_path / "finesse.conf").write_text(nginx(site))
    main.write_text(
        f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{ include {tmp_path}/finesse.conf; }}\n"
    )
    done = run(tool("nginx"), "-t", "-e", "stderr", "-c", str(main))
    assert "[warn]" not in done.stderr


def test_haproxy_takes_its_file(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "haproxy.cfg"
    path.write_text(haproxy(site))
    done = run(tool("haproxy"), "-c", "-f", str(path))
    assert "[WARNING]" not in done.stderr


@pytest.fixture(scope="module")
def connections() -> Iterator[tuple[int, list[int]]]:
    """The port of a server that keeps its connections, and the ports of clients, by request."""
    seen: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/asked":
                seen.append(self.client_address[1])
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port, seen
        server.shutdown()
        thread.join()


def nginx_command(site: Site, folder: Path) -> list[str]:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    (folder / "finesse.conf").write_text(nginx(site))
    (folder / "nginx.conf").write_text(
        f"{'user root;' if os.geteuid() == 0 else ''}\ndaemon off;\npid {folder}/pid;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{temporary}include {folder}/finesse.conf;\n}}\n"
    )
    return [tool("nginx"), "-e", "stderr", "-c", str(folder / "nginx.conf")]


def haproxy_command(site: Site, folder: Path) -> list[str]:
    (folder / "haproxy.cfg").write_text(
        # Its port of plain HTTP may be taken, and is not asked.
        haproxy(site)
        .replace("bind :80\n", f"bind :{free_port()}\n")
        # Few files may be open where tests run.
        .replace("maxconn 50000", "maxconn 500")
    )
    return [tool("haproxy"), "-db", "-f", str(folder / "haproxy.cfg")]


@pytest.mark.parametrize("command", [nginx_command, haproxy_command])
def test_proxies_keep_no_connection_to_a_process_that_may_stand_still(
    site: Site,
    tmp_path: Path,
    connections: tuple[int, list[int]],
    command: Callable[[Site, Path], list[str]],
) -> None:
    port, seen = connections
    secure = free_port()
    here = replace(
        site, machines=("127.0.0.1",), web_port=port, ports=Ports(plain=0, secure=(secure,))
    )
    proxy = subprocess.Popen(command(here, tmp_path))
    try:
        with httpx.Client(
            base_url=f"https://127.0.0.1:{secure}", verify=False, timeout=TIMEOUT_SECONDS
        ) as client:
            until(lambda: _status(client) == 200, "the proxy does not serve")
            seen.clear()
            assert [_status(client) for _ in range(3)] == [200] * 3
        assert len(set(seen)) == 3
    finally:
        proxy.terminate()
        proxy.wait(30)


def _status(client: httpx.Client) -> int:
    with contextlib.suppress(httpx.TransportError):
        return client.get("/asked").status_code
    return 0


def test_systemd_takes_its_units(tmp_path: Path) -> None:
    analyze = tool("systemd-analyze")
    units = []
    for name, text in FILES.items():
        if name.startswith("systemd/"):
            path = tmp_path / Path(name).name
            path.write_text(text.replace("/opt/finesse-media/bin/python", sys.executable))
            units.append(str(path).replace("@.", "@1."))
    done = run(analyze, "verify", *units, SYSTEMD_UNIT_PATH=f"{tmp_path}:")
    # Of systemd 254; older ones pause for one second each time.
    known = ("RestartSteps", "RestartMaxDelaySec")
    remarks = [line for line in done.stderr.splitlines() if str(tmp_path) in line]
    assert [line for line in remarks if not any(one in line for one in known)] == []


def test_supervisor_takes_its_file(tmp_path: Path) -> None:
    from supervisor.options import ServerOptions

    (tmp_path / "logs").mkdir()
    given = {"FINESSE_WEB_PROCESSES": "3", "FINESSE_BEAT_PROCESSES": "0"}
    environment = of_supervisor(given, ROOT, tmp_path)
    options = ServerOptions()
    options.environ_expansions = {f"ENV_{name}": value for name, value in environment.items()}
    options.realize(["-c", str(ROOT / "deploy" / "supervisord.conf")])
    groups = {group.name: group.process_configs for group in options.process_group_configs}
    assert {name: len(configs) for name, configs in groups.items()} == {
        "web": 3,
        "sockets": os.cpu_count(),
        "worker": 2,
        "beat": 0,
        "component": 0,
    }
    worker = groups["worker"][1]
    assert worker.command.startswith(f"{sys.executable} -m celery -A finesse worker")
    assert f"finesse-worker-1@{environment['FINESSE_MACHINE']}" in worker.command
    assert worker.autorestart
    assert worker.startretries > 10_000


def run(*command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    return done


# --- containers -----------------------------------------------------------------------------------

KINDS = {
    "Job": "batch/v1",
    "Deployment": "apps/v1",
    "PodDisruptionBudget": "policy/v1",
    "Service": "v1",
    "Ingress": "networking.k8s.io/v1",
}


@pytest.fixture(scope="module")
def manifests() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(FILES["kubernetes.yaml"]))


def of_kind(manifests: list[dict[str, Any]], kind: str) -> Iterator[dict[str, Any]]:
    return (one for one in manifests if one["kind"] == kind)


def test_each_manifest_is_of_a_kind_that_is_there(manifests: list[dict[str, Any]]) -> None:
    assert {one["kind"] for one in manifests} == set(KINDS)
    for one in manifests:
        assert one["apiVersion"] == KINDS[one["kind"]]
        assert re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", one["metadata"]["name"])
    names = [(one["kind"], one["metadata"]["name"]) for one in manifests]
    assert len(set(names)) == len(names)


def test_what_manifests_refer_to_is_there(manifests: list[dict[str, Any]]) -> None:
    pods = {}
    for deployment in of_kind(manifests, "Deployment"):
        spec = deployment["spec"]
        labels = spec["template"]["metadata"]["labels"]
        assert spec["selector"]["matchLabels"] == labels
        (container,) = spec["template"]["spec"]["containers"]
        pods[tuple(labels.items())] = container
        ports = {one["name"] for one in container.get("ports", [])}
        for name in ("startupProbe", "readinessProbe", "livenessProbe"):
            if ports:
                assert container[name]["httpGet"]["port"] in ports
            elif name != "readinessProbe":
                assert name not in container
        volumes = {one["name"] for one in spec["template"]["spec"]["volumes"]}
        assert {one["name"] for one in container["volumeMounts"]} == volumes
    services = {}
    for service in of_kind(manifests, "Service"):
        container = pods[tuple(service["spec"]["selector"].items())]
        (port,) = service["spec"]["ports"]
        assert port["targetPort"] in {one["name"] for one in container["ports"]}
        services[service["metadata"]["name"]] = port["name"]
    for budget in of_kind(manifests, "PodDisruptionBudget"):
        assert tuple(budget["spec"]["selector"]["matchLabels"].items()) in pods
    (ingress,) = of_kind(manifests, "Ingress")
    (rule,) = ingress["spec"]["rules"]
    backends = {one["path"]: one["backend"]["service"] for one in rule["http"]["paths"]}
    assert {path: one["name"] for path, one in backends.items()} == {
        "/ws": "finesse-sockets",
        "/http-bind": "finesse-sockets",
        "/": "finesse-web",
    }
    assert all(one["port"]["name"] == services[one["name"]] for one in backends.values())


def test_a_pod_without_a_port_is_ready_once_its_process_has_said_that_it_works(
    manifests: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen = set()
    for deployment in of_kind(manifests, "Deployment"):
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        if "ports" in container:
            continue
        seen.add(container["name"])
        environment = {one["name"]: one["value"] for one in container["env"]}
        folder = environment.pop(readiness.FOLDER_VARIABLE)
        assert folder in {one["mountPath"] for one in container["volumeMounts"]}
        monkeypatch.setenv(readiness.FOLDER_VARIABLE, str(tmp_path))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        command = container["readinessProbe"]["exec"]["command"]
        here = [one.replace(folder, str(tmp_path)) for one in command]
        assert subprocess.run(here, check=False).returncode == 1
        readiness.announce()
        assert subprocess.run(here, check=False).returncode == 0
    assert seen == {"worker", "beat", "component"}


def test_nothing_runs_as_root_or_holds_a_secret_in_the_manifests() -> None:
    for document in yaml.safe_load_all(FILES["kubernetes.yaml"]):
        if document["kind"] in {"Job", "Deployment"}:
            pod = document["spec"]["template"]["spec"]
            assert pod["securityContext"]["runAsNonRoot"] is True
            (container,) = pod["containers"]
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            names = {one["name"] for one in container.get("env", [])}
            assert names <= {readiness.FOLDER_VARIABLE, readiness.NAME_VARIABLE}
            assert container["envFrom"] == [{"secretRef": {"name": "finesse-media"}}]


def test_the_compose_file_has_each_process_after_the_migration() -> None:
    services = yaml.safe_load(FILES["compose.yaml"])["services"]
    assert set(services) == {"migrate", *(one.name for one in PROCESSES)}
    for process in PROCESSES:
        service = services[process.name]
        assert service["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
        assert service["restart"] == "always"
        assert service["command"][: len(process.command[:4])] == list(process.command[:4])


@pytest.mark.parametrize(
    ("tells", "name"),
    [
        (lambda one: f"[{'fcgi-' * bool(one.port)}program:{one.name}]", "supervisord.conf"),
        (lambda one: f"finesse-{one.name}\n", "kubernetes.yaml"),
        (lambda one: one.command[1], "compose.yaml"),
    ],
)
def test_each_process_is_in_each_set_up(tells: Callable[[Any], str], name: str) -> None:
    assert [one.name for one in PROCESSES if tells(one) not in FILES[name]] == []
    for one in PROCESSES:
        assert f"systemd/finesse-{one.name}@.service" in FILES
        assert one.connections == 0 or Service.POSTGRESQL in one.needs


def test_each_container_runs_a_module_that_is_installed(manifests: list[dict[str, Any]]) -> None:
    services = yaml.safe_load(FILES["compose.yaml"])["services"]
    commands = [service["command"] for service in services.values()]
    for document in manifests:
        if document["kind"] in {"Job", "Deployment"}:
            commands += [one["args"] for one in document["spec"]["template"]["spec"]["containers"]]
    assert {command[0] for command in commands} == {"-m"}
    assert [command for command in commands if find_spec(command[1]) is None] == []
    # The rest of each command line is python's, as the image starts it.
    assert 'ENTRYPOINT ["python"]' in FILES["Containerfile"]


def test_containers_listen_where_others_look_for_them(manifests: list[dict[str, Any]]) -> None:
    compose = yaml.safe_load(FILES["compose.yaml"])["services"]
    exposed = re.findall(r"^EXPOSE (.*)$", FILES["Containerfile"], re.MULTILINE)
    assert {int(port) for port in " ".join(exposed).split()} == {
        one.port for one in PROCESSES if one.port
    }
    of_pods = {
        one["metadata"]["name"]: one["spec"]["template"]["spec"]["containers"][0]
        for one in of_kind(manifests, "Deployment")
    }
    for process in PROCESSES:
        args = of_pods[f"finesse-{process.name}"]["args"]
        assert args == compose[process.name]["command"]
        ports = [
            one["containerPort"] for one in of_pods[f"finesse-{process.name}"].get("ports", [])
        ]
        assert ports == ([process.port] if process.port else [])
        if process.port:
            # Not on loopback alone, where nothing outside of the container would reach it.
            assert re.search(rf"0\.0\.0\.0( --port |:){process.port}\b", " ".join(args))


def test_each_variable_in_the_files_is_a_setting(tmp_path: Path) -> None:
    """A misspelt one would be taken for nothing, without a word."""
    settings = (ROOT / "docs" / "settings.md").read_text()
    own = of_supervisor({}, ROOT, tmp_path)
    named = {
        (variable, name)
        for name, text in FILES.items()
        for variable in re.findall(
            r"(?<![A-Z_])(?:FINESSE_|BEHIND_)[A-Z_]+", text.replace("ENV_", "")
        )
    }
    assert len(named) > 5
    assert [
        one for one in sorted(named) if f"`{one[0]}" not in settings and one[0] not in own
    ] == []
