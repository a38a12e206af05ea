"""Commands beside the release: a pod of their own, in a terminal and in a pipe, on a real node."""

from __future__ import annotations

import json
import signal
import time

import pytest
from waiting import becomes, wait_for

pytestmark = pytest.mark.e2e
RUNS = ("-n", "blog-local", "get", "pod", "-l", "app.kubernetes.io/component=run", "-o", "json")


@pytest.fixture
def runs(kubectl):
    """The pods of this test's commands that are there, and not on their way out."""

    def there():
        found = json.loads(kubectl(*RUNS))["items"]
        return [
            pod for pod in found if "deletionTimestamp" not in pod["metadata"] and pod["metadata"]["uid"] not in before
        ]

    before = set()
    before = {pod["metadata"]["uid"] for pod in there()}
    return there


@pytest.fixture
def screen(blog):
    """`screen("run", ...)`: nuages in a terminal of its own, closed afterwards."""
    opened = []

    def start(*arguments, **size):
        opened.append(blog.screen(*arguments, **size))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


@pytest.fixture
def bash(screen, runs):
    """A shell in a terminal of 91 columns and 33 rows."""
    shell = screen("run", "--", "bash", "--norc", columns=91, rows=33)
    shell.until(r"\$ ")
    return shell


def name_of(pods):
    (pod,) = pods
    return pod["metadata"]["name"]


def test_output_errors_and_exit_code_are_the_commands(blog, runs):
    done = blog.nuages("run", "--", "sh", "-c", "echo out; echo err >&2; exit 7", code=7)
    assert done.stdout == "out\n"
    assert "err\n" in done.stderr
    assert runs() == []


def test_a_pipe_goes_in_to_its_end_and_comes_out_byte_for_byte(blog):
    text = "".join(f"{number}\n" for number in range(200_000))
    assert blog.nuages("run", "--", "cat", text=text).stdout == text


def test_it_has_the_environment_and_the_database_of_what_is_live(blog):
    done = blog.nuages("manage", "shell", "-c", "from posts.models import Post; print('posts', Post.objects.count())")
    assert "posts " in done.stdout
    assert blog.nuages("manage", "check", "--database", "default").returncode == 0
    assert "unrecognized arguments: --nosuch" in blog.nuages("manage", "check", "--nosuch", code=2).stderr


def test_no_request_ever_reaches_it(blog, kubectl, bash, runs):
    (pod,) = runs()
    slices = kubectl("-n", "blog-local", "get", "endpointslices", "-o", "json")
    assert pod["status"]["podIP"] not in slices
    bash.type("exit\r")
    assert bash.ended() == 0


def test_the_databases_own_client_is_there_though_the_image_has_none(blog):
    assert blog.nuages("dbshell", "-At", "-c", "select 6*7").stdout == "42\n"
    assert blog.nuages("dbshell", "-At", text="select current_user;\n").stdout == "app\n"


def test_a_terminal_has_its_size_its_kind_and_ctrl_c(bash, runs):
    becomes("33 91", bash.size)  # it has a way of its own to the pod
    bash.type("echo T=$TERM\r")
    bash.until("T=xterm-256color")
    bash.resize(120, 40)
    becomes("40 120", bash.size)
    bash.type("echo be''gun; sleep 100\r")
    bash.until("begun\r\n")
    bash.type("\x03")
    bash.until(r"\^C")
    bash.until(r"\$ ")
    bash.type("exit 42\r")
    assert bash.ended() == 42
    assert bash.restored()
    assert runs() == []


def test_djangos_shell_ends_with_ctrl_d(screen):
    shell = screen("shell")
    shell.until(">>> ")
    shell.type("6*7\r")
    shell.until("42")
    shell.type("\x04")
    assert shell.ended() == 0


def test_an_account_is_made_in_a_terminal(screen):
    name = f"ada{time.time():.0f}"
    asking = screen("createsuperuser", "--email", "ada@example.com")
    asking.until("Username")
    asking.type(f"{name}\r")
    for _ in range(2):
        asking.until("Password.*: ")
        asking.type("correct-horse-battery\r")
    asking.until("created successfully")
    assert asking.ended() == 0
    assert "correct-horse" not in asking.text


def test_who_leaves_comes_back_to_the_same_shell(screen, bash, runs):
    bash.type("X=kept\r")
    bash.until(r"\$ ")
    bash.type("~.")
    name = bash.until(r"--attach (\S+)")[1]
    assert (bash.ended(), bash.restored(), name) == (0, True, name_of(runs()))
    again = screen("run", "--attach", name)
    again.until(r"\$ ")
    again.type("echo got $X\r")
    again.until("got kept")
    again.type("exit 5\r")
    assert again.ended() == 5


def test_a_window_that_is_closed_leaves_a_shell_to_come_back_to(screen, bash, runs):
    bash.process.send_signal(signal.SIGKILL)
    bash.process.wait()
    name = name_of(runs())
    again = screen("run", "--attach", name)
    again.until(r"\$ ")
    again.type("exit 3\r")
    assert again.ended() == 3
    assert runs() == []


def test_ctrl_c_in_a_pipe_ends_the_command_and_leaves_nothing(blog, runs):
    process = blog.start("run", "--", "sleep", "100")
    wait_for(lambda: [pod for pod in runs() if pod.get("status", {}).get("phase") == "Running"])
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=300)
    assert process.returncode == 130
    assert runs() == []
    assert "interrupted" in blog.nuages("run", "--history").stdout.splitlines()[0]


def test_alone_it_goes_on_and_tells_later_what_it_wrote_and_how_it_ended(blog, runs):
    done = blog.nuages("run", "--detach", "--", "sh", "-c", "echo one; sleep 2; echo two; exit 3")
    name = done.stdout.strip()
    assert f"nuages run --attach {name}" in done.stderr
    assert blog.nuages("run", "--attach", name, code=3).stdout == "one\ntwo\n"
    assert runs() == []
    assert f"exit 3  {name}" in blog.nuages("run", "--history").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--", "nosuch"), 127, "nosuch: No such file"),
        (("--ttl", "12s", "--", "sleep", "600"), 124, "--ttl gives more time"),  # its start is a part of them
        (("--memory", "64Mi", "--", "python", "-c", "x = bytearray(2**28)"), 137, "--memory gives more"),
        (("--attach", "blog-run-nnnnn"), 2, "no command runs as blog-run-nnnnn"),
    ],
)
def test_what_goes_wrong_is_said_in_a_line_with_the_code_that_shells_use(blog, arguments, code, said):
    assert said in blog.nuages("run", *arguments, code=code).stderr


def test_who_ran_what_is_written_down(blog, kubectl):
    blog.nuages("run", "--", "true")
    entries = json.loads(kubectl("-n", "blog-local", "get", "configmap", "blog-runs", "-o", "json"))["data"]
    ran = max(map(json.loads, entries.values()), key=lambda entry: entry["started"])
    assert (ran["command"], ran["exit_code"]) == (["true"], 0)
    assert "@" in ran["by"]
