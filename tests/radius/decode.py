#!/usr/bin/env python3
# decode.py REQUEST: says what FreeRADIUS should make of a NAP client's request: its attributes, then what its debug log
# tells of each TLV. Strict where FreeRADIUS isn't: that checks no length, and skips much.
#
# Copyright 2026 the qutil authors
# Licensed under the GNU Lesser General Public License, version 2.1 or later.

import struct
import sys

MICROSOFT = 0x137
NAP, WSHA = 0x13700, 0x13780
SYSTEM_HEALTH_ID, VENDOR_SPECIFIC, HEALTH_CLASS, SOFTWARE_VERSION, HEALTH_CLASS_STATUS = 2, 7, 8, 9, 11
SOH, SOH_WITHOUT_MODE, SOH_WITH_MODE = 1, 1, 2

PROCESSORS = {0: "x86", 6: "i64", 9: "x86_64"}
ROLES = {1: "client", 2: "dc", 3: "server"}

# What the Windows Security Health Agent says of health classes, in FreeRADIUS's words
PRODUCTS = {0: "firewall", 1: "antivirus", 2: "antispyware"}
PRODUCT_ERRORS = {0xc0ff0002: "not-installed", 0xc0ff0003: "down", 0xc0ff0018: "not-started"}
UPDATES = {
    3: ("auto-updates", {
        1: "warn disabled", 2: "ok action=check-only", 3: "ok action=download", 4: "ok action=install",
        5: "warn unconfigured", 0xc0ff0003: "warn service-down", 0xc0ff0018: "warn never-started"}),
    4: ("security-updates", {
        0x00ff0005: "ok all-installed", 0x00ff0006: "warn some-missing", 0x00ff0008: "warn never-started",
        0xc0ff000c: "error no-wsus-srv", 0xc0ff000d: "error no-wsus-clid", 0xc0ff000e: "warn wsus-disabled",
        0xc0ff000f: "error comm-failure", 0xc0ff0010: "warn needs-reboot"}),
}


def require(condition, what):
    if not condition:
        sys.exit("malformed: " + what)


class Reader:
    def __init__(self, data):
        self.data = data

    def take(self, size):
        require(size <= len(self.data), "%d bytes are wanted where %d are left" % (size, len(self.data)))
        data, self.data = self.data[:size], self.data[size:]
        return data

    def unpack(self, format):
        values = struct.unpack("!" + format, self.take(struct.calcsize("!" + format)))
        return values[0] if len(values) == 1 else values

    def counted(self):
        return self.take(self.unpack("H"))

    def tlv(self):
        return self.unpack("H"), self.counted()


def vendor_tlv(data):
    """The one TLV of Microsoft's in `data`, without type, length and vendor"""
    reader = Reader(data)
    type, value = reader.tlv()
    require(type == VENDOR_SPECIFIC and not reader.data, "%d bytes follow a TLV of type %d" % (len(reader.data), type))
    reader = Reader(value)
    require(reader.unpack("I") == MICROSOFT, "a header of another vendor")
    return reader


def inner(reader, types):
    type, value = reader.tlv()
    require(type in types and not reader.data, "%d bytes follow an inner TLV of type %d" % (len(reader.data), type))
    return type, value


def ascii(data):
    require(data.endswith(b"\0") and b"\0" not in data[:-1], "a string that doesn't end with its NUL")
    text = data[:-1].decode("ascii", "replace")
    require(text.isprintable(), "a string that isn't printable ASCII")
    return text


def machine_inventory(reader):
    values = dict(zip(("OS-version", "OS-release", "OS-build", "SP-version", "SP-release", "Processor"),
                      reader.unpack("IIIHHH")))
    values["Processor"] = PROCESSORS.get(values["Processor"], values["Processor"])
    return ["SoH-MS-Machine-OS-vendor = Microsoft"] + ["SoH-MS-Machine-%s = %s" % item for item in values.items()], []


def quarantine_state(reader):
    flags, _ = reader.unpack("HQ")
    require(flags & 0xff00 == 0 and flags & 0x07 in (1, 2, 3), "quarantine flags %04x" % flags)
    ascii(reader.counted())
    return [], []


def packet_info(reader):
    info = reader.unpack("B")
    return [], ["MS-Packet-Info %s vers=%d" % ("request" if info & 0x10 else "response", info & 0x0f)]


def ids(reader):
    size = len(reader.counted())
    require(size % 4 == 0, "a list of ids has %d bytes" % size)
    return [], []


def machine_name(reader):
    return ['SoH-MS-Machine-Name = "%s"' % ascii(reader.counted())], []


def correlation_id(reader):
    return ["SoH-MS-Correlation-Id = 0x" + reader.take(24).hex()], []


def machine_inventory_ex(reader):
    _, role = reader.unpack("IB")
    return ["SoH-MS-Machine-Role = %s" % ROLES.get(role, role)], []


TVS = {1: machine_inventory, 2: quarantine_state, 3: packet_info, 4: ids, 5: machine_name, 6: correlation_id, 7: ids,
       8: machine_inventory_ex}


def ssoh(value):
    reader, seen, attributes, log = Reader(value), set(), [], ["MS type-value payload"]
    require(reader.unpack("I") == MICROSOFT, "the SSoH is another vendor's")
    while reader.data:
        type = reader.unpack("B")
        require(type in TVS and type not in seen, "an unknown or a second TV of type %d" % type)
        seen.add(type)
        of_tv = TVS[type](reader)
        attributes += of_tv[0]
        log += of_tv[1]
    return attributes, log


def health_status(health_class, status):
    if health_class in UPDATES:
        name, texts = UPDATES[health_class]
        return "%s %s" % (name, texts.get(status, "error %08x" % status))
    if health_class not in PRODUCTS:
        return "%d unknown %08x" % (health_class, status)
    if status >> 24:
        return "%s error %s" % (PRODUCTS[health_class], PRODUCT_ERRORS.get(status, "%08x" % status))
    bits = tuple(status >> bit & 1 for bit in (3, 2, 1, 0))
    return PRODUCTS[health_class] + " ok snoozed=%d microsoft=%d up2date=%d enabled=%d" % bits


def entries(reader):
    attributes, log, seen = [], [], []
    while reader.data:
        type, value = reader.tlv()
        if type == SYSTEM_HEALTH_ID:
            require(len(value) == 4, "an id of %d bytes" % len(value))
            id, health_class = struct.unpack("!I", value)[0], -1
            require(id not in seen and (id == NAP) == (not seen), "the id %08x isn't in its place" % id)
            seen.append(id)
            owner = "%08x" % (id >> 8), id & 0xff
            log.append("System-Health-ID vendor %s component=%d" % owner)
            continue
        require(seen, "a TLV of type %d without an id before it" % type)
        if id == NAP:
            require(type == VENDOR_SPECIFIC, "a TLV of type %d among the SSoH's" % type)
            of_ssoh = ssoh(value)
            attributes += of_ssoh[0]
            log += of_ssoh[1]
        elif type == VENDOR_SPECIFIC:
            require(len(value) >= 4, "vendor data of %d bytes" % len(value))
            log.append("unhandled vendor-specific TLV %s/component=%d %d bytes payload" % (owner + (len(value),)))
        elif type == HEALTH_CLASS:
            require(len(value) == 1, "a health class of %d bytes" % len(value))
            health_class = value[0]
            log.append("Health-Class %d" % health_class)
        elif type == SOFTWARE_VERSION:
            require(value, "a software version of no bytes")
            log.append("Software-Version %d" % value[0])
        elif type == HEALTH_CLASS_STATUS:
            log.append("Health-Class-Status - current shid=%s component=%d" % owner)
            if id == WSHA:
                require(len(value) == 4, "a status of %d bytes" % len(value))
                status = struct.unpack("!I", value)[0]
                log.append("Health-Class-Status microsoft DWORD=%08x" % status)
                attributes.append('SoH-MS-Windows-Health-Status = "%s"' % health_status(health_class, status))
            else:
                attributes.append('SoH-MS-Health-Other = "%s/%d ?"' % owner)
        else:
            log.append("Unknown TLV %d len=%d" % (type, len(value)))
    require(seen, "no SSoH")
    return attributes, log


def main():
    with open(sys.argv[1], "rb") as stream:
        _, soh = inner(vendor_tlv(stream.read()), (SOH,))
    form, value = inner(vendor_tlv(soh), (SOH_WITHOUT_MODE, SOH_WITH_MODE))
    if form == SOH_WITHOUT_MODE:
        attributes, log = entries(Reader(value))
        log.insert(0, "without mode subheader")
    else:
        reader = Reader(value)
        mode = vendor_tlv(reader.take(34))
        mode_id = mode.take(24)
        require(mode.unpack("BB") == (1, 0), "intent or content type")
        attributes, log = entries(reader)
        require("SoH-MS-Correlation-Id = 0x" + mode_id.hex() in attributes, "the mode sub-header has an id of its own")
        log.insert(0, "with mode subheader")
    print("\n".join(attributes + ["SoH " + line for line in log]))


main()
