#!/usr/bin/env python3
# requests.py DIR ARCH...: has the NAP agent in the prefix $WINEPREFIX build requests, of every kind that there is, for
# the example clients of these architectures, and keeps them as DIR/NAME-ARCH; what there must be in each, known from
# Wine and from the clients, is in DIR/NAME-ARCH.expected. The prefix becomes another Windows on the way.
#
# requests.py --names: only the names.
#
# Copyright 2026 the qutil authors
# Licensed under the GNU Lesser General Public License, version 2.1 or later.

import os
import re
import subprocess
import sys
import threading
import time
import uuid

NAMES = "healthy", "made-by-agent", "two", "full", "one-byte-too-many", "max-size", "one-byte-less", "smallest"

WINE = os.environ.get("WINE", "wine")
BUILDDIR = os.path.abspath(os.environ.get("BUILDDIR", "."))

# In the order of their registration, which isn't that of the ids
AGENTS = [0x137f0, 0x137e2] + list(range(0x137c3, 0x13790 - 1, -3))
FIRST_ENFORCER = 0x137f1

MAX_REQUEST, MIN_MAX_SIZE = 4000, 300
# The agent's report in place of an SHA: id, failure category, error code; and the id in the list of such
MADE_BY_AGENT = 8 + 5 + 8 + 4
HEALTH = 4 + 2

PROCESSORS = {"AMD64": "x86_64", "x86": "x86"}
ROLES = {"WinNT": "client", "LanmanNT": "dc", "ServerNT": "server"}

# The processor's first name is there for 32-bit programs on a 64-bit Windows only.
FACTS = r"""@echo off
ver
echo processor %PROCESSOR_ARCHITEW6432% %PROCESSOR_ARCHITECTURE%
reg query HKLM\System\CurrentControlSet\Control\ProductOptions /v ProductType
reg query HKLM\System\CurrentControlSet\Control\Windows /v CSDVersion
reg query HKLM\System\CurrentControlSet\Services\Tcpip\Parameters /v Hostname
reg query HKLM\System\CurrentControlSet\Services\Tcpip\Parameters /v Domain
"""


def windows_path(path):
    return "Z:" + path.replace("/", "\\")


def run(*command):
    """What a Windows program prints, which has to succeed"""
    # Wine 8.0 now and then fails to start a program, with this status, which none of ours has.
    for _ in range(3):
        ended = subprocess.run([WINE, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, timeout=120)
        if ended.returncode != 1:
            break
    text = ended.stdout.decode(errors="replace")
    if ended.returncode:
        sys.exit("%s ends with status %d: %s" % (" ".join(command), ended.returncode, text))
    return text


def run_batch(text):
    path = os.path.join(DIR, "batch.bat")
    with open(path, "w", newline="\r\n") as stream:
        stream.write(text)
    return run("cmd", "/c", windows_path(path))


def program(arch, name):
    return os.path.join(BUILDDIR, "tests", "client", arch + "-windows", name + ".exe")


class Client:
    """An example client that runs and takes commands"""

    def __init__(self, arch, name, id):
        self.arch, self.name, self.lines, self.begun = arch, "%s %#x" % (name, id), [], 0
        self.process = subprocess.Popen([WINE, program(arch, name), "/execute", "/id", hex(id)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        threading.Thread(target=self.read, daemon=True).start()
        self.wait("Initialize: S_OK")

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.decode(errors="replace").rstrip())

    def tell(self, command):
        self.begun = len(self.lines)
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()

    def wait(self, pattern):
        """The match of what is printed now or soon, since the last command"""
        for _ in range(300):
            for line in self.lines[self.begun:]:
                if match := re.search(pattern, line):
                    return match
            time.sleep(0.1)
        sys.exit("the %s %s doesn't say %s, but:\n%s" % (self.arch, self.name, pattern, "\n".join(self.lines[-20:])))

    def quit(self):
        self.tell("quit")
        if status := self.process.wait(30):
            sys.exit("the %s %s ends with status %d" % (self.arch, self.name, status))


class Agent(Client):
    def __init__(self, arch, id):
        super().__init__(arch, "health", id)

    def set_detail(self, size):
        self.tell("detail %d" % size)
        self.wait("> detail")


class Enforcer(Client):
    def __init__(self, arch, id):
        super().__init__(arch, "enforcer", id)
        self.tell("connect")
        self.wait("CreateConnection: S_OK")

    def exchange(self):
        """The size of the request"""
        self.tell("exchange")
        size = self.wait("GetSoHRequest: S_OK, ([0-9]+) bytes")[1]
        self.wait("GetIsolationInfo: S_OK|ProcessSoHResponse: [^S]|server: no ")
        return int(size)

    def save(self, name):
        """The correlation id of what is saved, as it goes over the network"""
        self.tell("save " + windows_path(os.path.join(DIR, "%s-%s" % (name, self.arch))))
        guid, stamp = self.wait(r"Saved, correlation id (\{.*\}) ([0-9a-f]{16})$").groups()
        return uuid.UUID(guid).hex + stamp

    def set_max_size(self, size):
        self.tell("maxsize %d" % size)
        self.wait("SetMaxSize: S_OK")


def facts():
    """What Windows says that it is"""
    text = run_batch(FACTS)

    def find(pattern, default=None):
        match = re.search(pattern, text, re.MULTILINE)
        if not match and default is None:
            sys.exit("Wine doesn't tell %s, but:\n%s" % (pattern, text))
        return match[1].strip() if match else default

    version = find(r"^Microsoft Windows ([0-9.]+)").split(".")
    service_pack = int(find(r"CSDVersion +REG_DWORD +(0x[0-9a-f]+)", "0"), 16)
    domain = find(r"Domain +REG_SZ(.*)$", "")
    values = {
        "OS-vendor": "Microsoft", "OS-version": version[0], "OS-release": version[1], "OS-build": version[2],
        "SP-version": service_pack >> 8, "SP-release": service_pack & 0xff,
        "Processor": PROCESSORS[find("^processor +([A-Za-z0-9]+)")],
        "Name": '"%s"' % (find("Hostname +REG_SZ +(.*)$") + ("." + domain if domain else "")),
        "Role": ROLES[find("ProductType +REG_SZ +([A-Za-z]+)")],
    }
    return ["SoH-MS-Machine-%s = %s" % item for item in values.items()]


def expected(machine, correlation_id, reports):
    """As decode.py prints it. A report is an id and the size of its detail, or None where the agent makes it."""
    lines = machine + ["SoH-MS-Correlation-Id = 0x" + correlation_id, "SoH with mode subheader",
                       "SoH System-Health-ID vendor 00000137 component=0", "SoH MS type-value payload",
                       "SoH MS-Packet-Info request vers=1"]
    for id, detail in reports:
        component = id & 0xff
        lines.append("SoH System-Health-ID vendor 00000137 component=%d" % component)
        if detail is None:
            lines += ["SoH Unknown TLV 14 len=1", "SoH Unknown TLV 13 len=4"]
        else:
            lines.append("SoH unhandled vendor-specific TLV 00000137/component=%d %d bytes payload" %
                         (component, HEALTH + detail))
    return "".join(line + "\n" for line in lines)


def check_size(what, got, want):
    if got != want:
        sys.exit("%s has %d bytes instead of %d" % (what, got, want))


def keep(name, machine, enforcers, reports, size=None):
    """Has each enforcement client make an exchange. The size of the requests"""
    for enforcer in enforcers:
        got = enforcer.exchange()
        size = size or got
        check_size("%s, %s," % (name, enforcer.arch), got, size)
        correlation_id = enforcer.save(name)
        with open(os.path.join(DIR, "%s-%s.expected" % (name, enforcer.arch)), "w") as stream:
            stream.write(expected(machine, correlation_id, reports))
    return size


def enforcers_of(archs):
    return [Enforcer(arch, FIRST_ENFORCER + 2 * i) for i, arch in enumerate(archs)]


def register(arch, *ids):
    text = run_batch("@echo off\n" + "".join(
        '"%s" /register /id %#x\n' % (windows_path(program(arch, "health")), id) for id in ids))
    if text.count("RegisterSystemHealthAgent: S_OK") != len(ids):
        sys.exit("not all are registered:\n" + text)


def few(archs):
    """Up to two SHAs, on the Windows that Wine is by itself"""
    machine = facts()
    for i, arch in enumerate(archs):
        run(program(arch, "enforcer"), "/register", "/id", hex(FIRST_ENFORCER + 2 * i))
        run("napstat", "set", "enforcement", hex(FIRST_ENFORCER + 2 * i), "enable")
    enforcers = enforcers_of(archs)

    one, two = AGENTS[:2]
    register(archs[0], one)
    agents = [Agent(archs[0], one)]
    keep("healthy", machine, enforcers, [(one, 0)])
    register(archs[-1], two)
    keep("made-by-agent", machine, enforcers, [(one, 0), (two, None)])
    agents.append(Agent(archs[-1], two))
    keep("two", machine, enforcers, [(one, 0), (two, 0)])
    for client in agents + enforcers:
        client.quit()


def many(archs):
    """As many SHAs as there may be, on a server with a service pack and in a domain"""
    run("net", "stop", "napagent")
    run("winecfg", "-v", "win2008r2")
    run("reg", "add", r"HKLM\System\CurrentControlSet\Services\Tcpip\Parameters",
        "/v", "Domain", "/d", "nap.example", "/f")
    machine = facts()

    register(archs[0], *AGENTS[2:])
    enforcers = enforcers_of(archs)
    agents = [Agent(archs[-1], AGENTS[0]), Agent(archs[0], AGENTS[1])]
    size = max(enforcer.exchange() for enforcer in enforcers)

    def reports(*details):
        return list(zip(AGENTS, details + (None,) * (len(AGENTS) - len(details))))

    room = MAX_REQUEST - size
    for extra, name, left_out, wanted in ((0, "full", 0, MAX_REQUEST),
                                          (1, "one-byte-too-many", 1, MAX_REQUEST + 1 - MADE_BY_AGENT)):
        details = room // 2, room - room // 2 + extra
        for agent, detail in zip(agents, details):
            agent.set_detail(detail)
        keep(name, machine, enforcers, reports(*details)[:len(AGENTS) - left_out], wanted)

    for agent in agents:
        agent.set_detail(0)
    for name, max_size in (("max-size", size - 7 * MADE_BY_AGENT), ("one-byte-less", size - 7 * MADE_BY_AGENT - 1),
                           ("smallest", MIN_MAX_SIZE)):
        left_out = -((max_size - size) // MADE_BY_AGENT)
        for enforcer in enforcers:
            enforcer.set_max_size(max_size)
        keep(name, machine, enforcers, reports(0, 0)[:-left_out], size - left_out * MADE_BY_AGENT)

    agents[0].set_detail(MIN_MAX_SIZE)
    for enforcer in enforcers:
        enforcer.tell("exchange")
        enforcer.wait("GetSoHRequest: NAP_E_MAXSIZE_TOO_SMALL")
    for client in agents + enforcers:
        client.quit()


if sys.argv[1:] == ["--names"]:
    print("\n".join(NAMES))
    sys.exit()
DIR = os.path.abspath(sys.argv[1])
# Wine ends its services when the last program has ended; this one stays.
keeper = subprocess.Popen([WINE, "cmd"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
few(sys.argv[2:])
many(sys.argv[2:])
keeper.stdin.close()
keeper.wait(30)
