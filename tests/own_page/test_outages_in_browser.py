"""The agent's own page without a service: what is said of a request, and what became of it."""

from playwright.sync_api import Route, expect

from finesse.api.errors import OUT_OF_SERVICE
from finesse.docs.error_examples import error_document
from tests.kit.installation import ON_SERVICES, Installation
from tests.kit.own_page import PHONE
from tests.own_page.conftest import OpenAgent


def test_out_of_service_is_said_and_what_became_of_the_request(
    sign_in: OpenAgent, installation: Installation
) -> None:
    agent = sign_in("1300", PHONE)
    tasks = agent.card("5002")
    tasks.sign_in()
    if ON_SERVICES:
        installation.kill("worker")
        installation.await_status(503)
    else:
        # Here the worker dies with its server.
        agent.page.route("**/finesse/api/**", out_of_service, times=1)
    tasks.act("ready")
    tasks.expect_message("The service is out of service at the moment.")
    if ON_SERVICES:
        installation.start()
    tasks.expect_message("This did not reach the service, and nothing has changed. Try again.")
    tasks.expect_state("Not ready")
    tasks.act("ready")
    tasks.expect_message("Done: you are “Ready”.")


def out_of_service(route: Route) -> None:
    route.fulfill(
        status=503,
        content_type="application/xml",
        body=error_document(OUT_OF_SERVICE, with_media=False),
    )


def test_a_server_that_is_gone_is_said_and_the_page_goes_on_when_it_is_back(
    sign_in: OpenAgent, installation: Installation
) -> None:
    agent = sign_in("1301", PHONE)
    tasks = agent.card("5002")
    tasks.expect_state("Not ready")
    installation.kill("server")
    expect(agent.page.get_by_test_id("agent-page").get_by_text("Not live since")).to_be_visible()
    tasks.act("ready")
    tasks.expect_message("The server does not answer.")
    installation.start()
    tasks.expect_message("This did not reach the service, and nothing has changed.")
    agent.go_live()
    tasks.act("ready")
    tasks.expect_message("Done: you are “Ready”.")


def test_an_outcome_of_which_no_notification_comes_is_found_out(
    sign_in: OpenAgent, installation: Installation
) -> None:
    agent = sign_in("1302")
    # The socket stays open and says nothing, as one whose network was lost.
    agent.page.route_web_socket("**/ws/notifications/", lambda socket: None)
    agent.page.reload()
    tasks = agent.card("5002")
    tasks.act("sign-in")
    tasks.part("apply").click()
    tasks.expect_message("Accepted. Waiting for the outcome…")
    tasks.expect_message("Done: you are “Not ready”.")
    tasks.expect_state("Not ready")
