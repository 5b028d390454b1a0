#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the shape of the tree: who includes whom, and how long files and functions are.

    check_layers.py ROOT

Layers include downward only: api, rt, libos, then inet and link side by side, mem, base. inet and
link never meet but in libos/inet*.c. inet is pure: of the system it includes what declares types and
constants or computes, and of base neither the clock nor entropy. Tests (NAME_test.c, NAME_test.h) may include
anything in src. Each finding is one line, file:line: what is wrong; the exit status is 1 if any.

Functions are found by the layout that clang-format gives: a body starts and ends with a brace in the
first column.
"""
import os
import re
import sys

RANKS = {'base': 0, 'mem': 1, 'inet': 2, 'link': 2, 'libos': 3, 'rt': 4, 'api': 5}
PUBLIC_FROM_RANK = RANKS['libos']  # include/demi is for those who deal with programs
JOINS_INET_AND_LINK = re.compile(r'libos/inet\w*\.[ch]$')
PURE_SYSTEM_HEADERS = {
    'assert.h', 'endian.h', 'errno.h', 'immintrin.h', 'inttypes.h', 'limits.h', 'linux/tcp.h', 'netinet/in.h',
    'netinet/tcp.h', 'stdalign.h', 'stdarg.h', 'stdatomic.h', 'stdbool.h', 'stddef.h', 'stdint.h',
    'stdlib.h', 'string.h', 'sys/socket.h', 'sys/types.h',
}
IMPURE_BASE_HEADERS = {'base/clock.h', 'base/entropy.h'}
NAMES_THAT_SAY_NOTHING = {'common', 'internal', 'misc', 'util', 'utils'}
MAX_FILE_LINES = 700
MAX_FUNCTION_LINES = 80

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
CONDITIONAL = re.compile(r'\s*#\s*(if|ifdef|ifndef|elif)\b')
TEST_FILE = re.compile(r'_test\.[ch]$')
UNFINISHED = re.compile(r'\b(TODO|FIXME)\b')


def source_files(root):
    """Paths below root, with '/', of all C files of src, include, tools, examples, bench, fuzz and
    tests."""
    for top in ('src', 'include', 'tools', 'examples', 'bench', 'fuzz', 'tests'):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if name.endswith(('.c', '.h')):
                    path = os.path.relpath(os.path.join(folder, name), root)
                    yield path.replace(os.sep, '/')


def includes(lines):
    """(line number, quoted?, name) of each include."""
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1) == '"', match.group(2)


def functions(lines):
    """(first line number, number of lines, name) of each function. The first line is that of the
    body's brace, less the lines of the signature."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == '{':
            start = number - 1
            while start > 1 and lines[start - 2] and lines[start - 1][:1] in ' \t':
                start -= 1
        elif line == '}' and start:
            signature = ' '.join(lines[start - 1:number])
            name = re.search(r'(\w+)\s*\(', re.sub(r'__attribute__\s*\(\(.*?\)\)', '', signature))
            yield start, number - start + 1, name.group(1) if name else '?'
            start = None


def check_direction(layer, path, number, name):
    """An include of one of our own headers, by its first folder."""
    target = name.split('/')[0]
    if target == 'demi':
        if RANKS[layer] < PUBLIC_FROM_RANK:
            yield path, number, f'{layer} is below the public interface: no {name} here'
    elif target not in RANKS:
        yield path, number, f'"{name}": start it with a folder of src'
    elif target != layer and RANKS[target] > RANKS[layer]:
        yield path, number, f'{layer} is below {target}: no {name} here'
    elif target != layer and RANKS[target] == RANKS[layer]:
        yield path, number, f'{layer} and {target} never include each other: no {name} here'


def check_purity(path, number, quoted, name):
    if not quoted and name not in PURE_SYSTEM_HEADERS:
        yield path, number, f'inet is pure: no <{name}> here'
    if name in IMPURE_BASE_HEADERS:
        yield path, number, f'inet is pure, time and keys are arguments: no {name} here'


def check_includes(path, lines):
    """Of a file below src that is not a test."""
    layer = path.split('/')[1]
    met = set()
    if layer not in RANKS:
        yield path, 1, f'src/{layer} is not a layer; the layers are {", ".join(RANKS)}'
        return
    for number, quoted, name in includes(lines):
        if quoted or name.startswith('demi/'):
            yield from check_direction(layer, path, number, name)
        if layer == 'inet':
            yield from check_purity(path, number, quoted, name)
        met |= {name.split('/')[0]} & {'inet', 'link'}
        if len(met) == 2 and not JOINS_INET_AND_LINK.search(path):
            yield path, number, 'only libos/inet*.c joins inet and link'
            met = set()


def check_test_includes(path, lines):
    for number, quoted, name in includes(lines):
        if quoted and name.split('/')[0] not in (*RANKS, 'demi'):
            yield path, number, f'a test below src includes only src: no {name} here'


def check_functions(path, lines):
    for start, length, name in functions(lines):
        if length > MAX_FUNCTION_LINES:
            yield path, start, f'{name} has {length} lines; {MAX_FUNCTION_LINES} are the limit'
        for number in range(start, start + length):
            if CONDITIONAL.match(lines[number - 1]) and not TEST_FILE.search(path):
                yield path, number, f'{name}: choose features by files, not by #if in functions'


def check_text(path, lines):
    stem = os.path.basename(path).rsplit('.', 1)[0]
    if stem in NAMES_THAT_SAY_NOTHING:
        yield path, 1, f'the name {stem} says nothing'
    if len(lines) >= MAX_FILE_LINES:
        yield path, MAX_FILE_LINES, f'{len(lines)} lines; files stay below {MAX_FILE_LINES}'
    if not any('SPDX-License-Identifier: MIT' in line for line in lines[:60]):
        yield path, 1, 'no line "SPDX-License-Identifier: MIT"'
    for number, line in enumerate(lines, 1):
        if UNFINISHED.search(line):
            yield path, number, 'unfinished: do it, or leave the note out'


def check_file(path, text):
    """All findings, (path, line, what), for one file; path is relative to the tree."""
    lines = text.split('\n')
    if lines and lines[-1] == '':
        lines.pop()
    yield from check_text(path, lines)
    if path.startswith('src/'):
        yield from check_functions(path, lines)
        if TEST_FILE.search(path):
            yield from check_test_includes(path, lines)
        else:
            yield from check_includes(path, lines)


def check_tree(root):
    for path in source_files(root):
        with open(os.path.join(root, path), encoding='utf-8') as file:
            yield from check_file(path, file.read())


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    files = sum(1 for _ in source_files(sys.argv[1]))
    if files == 0:
        sys.exit(f'{sys.argv[1]}: no C file below it')
    findings = list(check_tree(sys.argv[1]))
    for path, number, what in findings:
        print(f'{path}:{number}: {what}')
    print(f'{files} files, {len(findings)} findings')
    sys.exit(1 if findings else 0)


if __name__ == '__main__':
    main()
