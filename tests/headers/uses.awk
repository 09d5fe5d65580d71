# Turns headers that widl made into a source that uses all they declare
#
# Copyright 2026 the qutil authors
#
# This library is free software; you can redistribute it and/or
# modify it under the terms of the GNU Lesser General Public
# License as published by the Free Software Foundation; either
# version 2.1 of the License, or (at your option) any later version.
#
# This library is distributed in the hope that it will be useful,
# but WITHOUT ANY WARRANTY; without even the implied warranty of
# MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the GNU
# Lesser General Public License for more details.
#
# You should have received a copy of the GNU Lesser General Public
# License along with this library; if not, write to the Free Software
# Foundation, Inc., 51 Franklin St, Fifth Floor, Boston, MA 02110-1301, USA
#
# Usage: awk -v lang=c -f uses.awk nap*.h > uses.c
#        awk -v lang=c++ -f uses.awk nap*.h > uses.cpp
#
# Plain C functions and variables are read from whatever header declares them.

function trim(text)
{
    sub(/^[ \t]+/, "", text)
    sub(/[ \t]+$/, "", text)
    return text
}

function check(name, condition)
{
    print "typedef char check" ++checks "_" name "[(" condition ") ? 1 : -1];"
}

function macro(name)
{
    print "#ifndef " name
    print "#error " name " is missing"
    print "#endif"
}

# Splits "TYPE *name" into decl_type and decl_name, and "TYPE name[5]" into decl_count too.
function declaration(text)
{
    text = trim(text)
    decl_count = ""
    if (match(text, /\[[^]]*\]$/))
    {
        decl_count = substr(text, RSTART + 1, RLENGTH - 2)
        text = substr(text, 1, RSTART - 1)
    }
    match(text, /[A-Za-z0-9_]+$/)
    decl_name = substr(text, RSTART)
    decl_type = trim(substr(text, 1, RSTART - 1))
}

# Sets full and names to a method's arguments, without the object.
function arguments(text,    list, count, i)
{
    full = names = ""
    count = split(text, list, ",")
    for (i = 1; i <= count; i++)
    {
        declaration(list[i])
        if (decl_name == "This" || decl_name == "void" || !decl_name) continue
        full = full ", " trim(list[i])
        names = names ", " decl_name
    }
}

function method(ret, name, text)
{
    arguments(text)
    methods[++method_count] = name
    counts["methods"]++
    if (lang == "c")
    {
        print "static " ret " STDMETHODCALLTYPE " iface "_impl_" name "(" iface " *This" full ") { return 0; }"
        print "#ifndef WIDL_C_INLINE_WRAPPERS"
        macro(iface "_" name)
        print "#endif"
        print ret " " iface "_call_" name "(" iface " *This" full ") { return " iface "_" name "(This" names "); }"
    }
    else
    {
        bodies = bodies "    " ret " STDMETHODCALLTYPE " name "(" substr(full, 3) ") { return 0; }\n"
        print ret " " iface "_call_" name "(" iface " *This" full ") { return This->" name "(" substr(names, 3) "); }"
    }
}

function interface_end(    i, list)
{
    counts["interfaces"]++
    macro("__" iface "_INTERFACE_DEFINED__")
    macro("__" iface "_FWD_DEFINED__")
    if (lang == "c")
    {
        for (i = 1; i <= method_count; i++) list = list "    " iface "_impl_" methods[i] ",\n"
        print "static " iface "Vtbl " iface "_vtbl =\n{\n" list "};"
        print iface " " iface "_object = { &" iface "_vtbl };"
        check(iface, "sizeof(" iface "Vtbl) == " method_count " * sizeof(void *)")
    }
    else
    {
        print "struct " iface "_impl : public " iface "\n{\n" bodies "};"
        print iface " *" iface "_create() { return new " iface "_impl; }"
        print "const GUID *" iface "_uuid() { static const GUID uuid = __uuidof(" iface "); return &uuid; }"
    }
}

function member(text,    path, id)
{
    declaration(text)
    path = prefix decl_name
    id = path
    gsub(/\./, "_", id)
    fields[++field_count] = decl_type
    field_path[field_count] = path
    field_id[field_count] = id
    field_size[field_count] = decl_count
}

function struct_end(name,    i)
{
    counts["structs"]++
    print kind " " tag " *" name "_tag(" name " *s) { return s; }"
    for (i = 1; i <= field_count; i++)
    {
        if (field_size[i])
            check(name "_" field_id[i], "sizeof(((" name " *)0)->" field_path[i] ") == " \
                  field_size[i] " * sizeof(" fields[i] ")")
        print fields[i] " *" name "_" field_id[i] "(" name " *s) { return &s->" field_path[i] \
              (field_size[i] ? "[0]" : "") "; }"
    }
    for (i = 1; i <= nested_count; i++)
        if (lang == "c") print "struct " nested_tag[i] " *" name "_" nested[i] "(" name " *s) { return &s->" nested[i] "; }"
}

{ sub(/\r$/, "") }

# A vtable in C.
/^typedef struct [A-Za-z0-9]+Vtbl \{$/ {
    iface = substr($3, 1, length($3) - 4)
    method_count = 0
    bodies = pending = ""
    next
}
iface && $0 == "} " iface "Vtbl;" { interface_end(); iface = ""; next }
iface && /^    [A-Z].*\(STDMETHODCALLTYPE \*/ { pending = trim($0); next }
iface && pending {
    pending = pending " " trim($0)
    if (pending !~ /;$/) next
    match(pending, /\(STDMETHODCALLTYPE \*[A-Za-z0-9_]+\)/)
    ret = trim(substr(pending, 1, RSTART - 1))
    name = substr(pending, RSTART + 20, RLENGTH - 21)
    text = substr(pending, RSTART + RLENGTH + 1)
    sub(/\);$/, "", text)
    method(ret, name, text)
    pending = ""
    next
}
iface { next }

# An enumeration.
/^typedef enum [A-Za-z0-9]+ \{$/ { enum_tag = $3; last = ""; next }
enum_tag && /^}/ {
    counts["enums"]++
    name = $2
    sub(/;$/, "", name)
    print "enum " enum_tag " *" name "_tag(" name " *e) { return e; }"
    enum_tag = ""
    next
}
enum_tag {
    value = trim($0)
    sub(/,$/, "", value)
    name = value
    if (value ~ /=/)
    {
        sub(/ *=.*/, "", name)
        sub(/.*= */, "", value)
    }
    else value = last ? last " + 1" : "0"
    last = name
    check(name, name " == " value)
    next
}

# A struct or union, with structs in it.
/^typedef (struct|union) [A-Za-z0-9]+ \{$/ {
    kind = $2
    tag = $3
    prefix = ""
    field_count = nested_count = 0
    next
}
tag && /^}/ { name = $2; sub(/;$/, "", name); struct_end(name); tag = ""; next }
tag && /^    struct [A-Za-z0-9]+ \{$/ { nested_tag[++nested_count] = $2; first = field_count + 1; next }
tag && /^    } [A-Za-z0-9]+;$/ {
    name = $2
    sub(/;$/, "", name)
    nested[nested_count] = name
    for (i = first; i <= field_count; i++)
    {
        field_path[i] = name "." field_path[i]
        field_id[i] = name "_" field_id[i]
    }
    next
}
tag && /;$/ { text = $0; sub(/;$/, "", text); member(text); next }

/^typedef interface / { next }
/^typedef [^(]*;$/ {
    text = $0
    sub(/^typedef /, "", text)
    sub(/;$/, "", text)
    declaration(text)
    print decl_type " *" decl_name "_type(" decl_name " *t) { return t; }"
    counts["types"]++
    next
}

/^#define [A-Za-z][A-Za-z0-9]* \(.*\)$/ {
    macro($2)
    text = $0
    sub(/^#define [A-Za-z0-9]+ /, "", text)
    check($2, $2 " == " text)
    counts["constants"]++
    next
}

/^DEFINE_GUID\(/ || /^EXTERN_C const CLSID / {
    name = $0
    sub(/^DEFINE_GUID\(/, "", name)
    sub(/^EXTERN_C const CLSID /, "", name)
    sub(/[,;].*/, "", name)
    if (!guids[name]++) print "const GUID *" name "_guid(void) { return &" name "; }"
    counts["identifiers"]++
    next
}

/static (const )?UINT32 [A-Za-z0-9]+ = / {
    match($0, /[A-Za-z0-9]+ = /)
    name = substr($0, RSTART, RLENGTH - 3)
    print "const UINT32 *" name "_address(void) { return &" name "; }"
    counts["variables"]++
    next
}

/^ *NAPAPI .* WINAPI / {
    text = trim($0)
    sub(/^NAPAPI /, "", text)
    sub(/;$/, "", text)
    match(text, / WINAPI [A-Za-z0-9]+\(/)
    ret = substr(text, 1, RSTART - 1)
    name = substr(text, RSTART + 8, RLENGTH - 9)
    text = substr(text, RSTART + RLENGTH)
    print "void *" name "_address(void) { " ret " (WINAPI *function)(" text " = " name "; return (void *)function; }"
    counts["functions"]++
    next
}

END {
    count = split("interfaces methods enums structs types constants identifiers variables functions", list)
    for (i = 1; i <= count; i++)
    {
        print "/* " list[i] ": " counts[list[i]] + 0 " */"
        if (!counts[list[i]]) failed = 1
    }
    exit failed
}
