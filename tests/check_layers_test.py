#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests of check_layers.py: each rule finds what breaks it, and nothing else."""
import unittest

import check_layers

LICENCE = '/* SPDX-License-Identifier: MIT */\n'


def findings(path, text):
    return [what for _, _, what in check_layers.check_file(path, LICENCE + text)]


def function(lines, body='\tx();'):
    """A function of so many lines in all."""
    return '\n'.join(['static int f(int a,', '\t     int b)', '{'] + [body] * (lines - 4) + ['}', ''])


class Includes(unittest.TestCase):
    def allowed(self, path, name):
        self.assertEqual(findings(path, f'#include {name}\n'), [], f'{path} {name}')

    def refused(self, path, name):
        self.assertEqual(len(findings(path, f'#include {name}\n')), 1, f'{path} {name}')

    def test_downward_is_allowed(self):
        self.allowed('src/api/a.c', '"rt/b.h"')
        self.allowed('src/api/a.c', '"base/b.h"')
        self.allowed('src/libos/a.c', '"inet/b.h"')
        self.allowed('src/link/a.c', '"mem/b.h"')
        self.allowed('src/mem/a.c', '"mem/b.h"')

    def test_upward_is_refused(self):
        self.refused('src/base/a.c', '"mem/b.h"')
        self.refused('src/mem/a.h', '"link/b.h"')
        self.refused('src/inet/a.c', '"libos/b.h"')
        self.refused('src/rt/a.c', '"api/b.h"')

    def test_inet_and_link_do_not_meet(self):
        both = '#include "inet/a.h"\n#include "link/b.h"\n'
        self.refused('src/inet/a.c', '"link/b.h"')
        self.refused('src/link/a.c', '"inet/b.h"')
        self.assertEqual(len(findings('src/libos/kernel.c', both)), 1)
        self.assertEqual(len(findings('src/rt/inet.c', both)), 1)
        self.assertEqual(findings('src/libos/inet.c', both), [])
        self.assertEqual(findings('src/libos/inet_device.c', both), [])

    def test_own_headers_are_named_by_their_folder(self):
        self.refused('src/mem/a.c', '"b.h"')
        self.refused('src/mem/a.c', '"../base/b.h"')
        self.refused('src/mem/a.c', '"tools/b.h"')

    def test_the_public_interface_is_for_the_upper_layers(self):
        self.allowed('src/api/a.c', '<demi/libos.h>')
        self.allowed('src/libos/a.c', '"demi/types.h"')
        self.refused('src/mem/a.c', '"demi/types.h"')
        self.refused('src/base/a.c', '<demi/types.h>')

    def test_inet_is_pure(self):
        self.allowed('src/inet/a.c', '<string.h>')
        self.allowed('src/inet/a.c', '"base/rng.h"')
        self.allowed('src/link/a.c', '<time.h>')
        for name in ('<time.h>', '<unistd.h>', '<stdio.h>', '<pthread.h>', '<sys/epoll.h>',
                     '"base/clock.h"', '"base/entropy.h"'):
            self.refused('src/inet/a.c', name)

    def test_tests_include_anything_in_src(self):
        self.allowed('src/base/a_test.c', '"rt/b.h"')
        self.allowed('src/inet/a_test.c', '"link/b.h"')
        self.allowed('src/inet/a_test.c', '<stdio.h>')
        self.allowed('src/inet/a_test.h', '<cmocka.h>')
        self.refused('src/base/a_test.c', '"tools/b.h"')

    def test_tools_include_anything(self):
        self.allowed('tools/a.c', '"histogram.h"')
        self.allowed('tests/a.c', '"inet/b.h"')

    def test_a_new_folder_is_no_layer(self):
        self.assertEqual(len(findings('src/extra/a.c', '')), 1)


class Sizes(unittest.TestCase):
    def test_a_function_of_80_lines_is_allowed(self):
        self.assertEqual(findings('src/base/a.c', function(80)), [])

    def test_a_function_of_81_lines_is_refused(self):
        found = findings('src/base/a.c', 'int y;\n\n' + function(81))
        self.assertEqual(found, ['f has 81 lines; 80 are the limit'])

    def test_short_functions_after_one_another_are_not_added_up(self):
        self.assertEqual(findings('src/base/a.c', '\n'.join([function(60)] * 5)), [])

    def test_tables_are_not_functions(self):
        table = 'static const int t[] = {\n' + '\t1,\n' * 100 + '};\n'
        self.assertEqual(findings('src/base/a.c', table), [])

    def test_a_file_of_700_lines_is_refused(self):
        self.assertEqual(findings('src/base/a.c', 'int x;\n' * 698), [])
        self.assertEqual(len(findings('src/base/a.c', 'int x;\n' * 699)), 1)


class Text(unittest.TestCase):
    def test_names_that_say_nothing_are_refused(self):
        for name in ('internal.h', 'common.c', 'util.c', 'utils.h', 'misc.c'):
            self.assertEqual(len(findings('src/base/' + name, '')), 1, name)
        self.assertEqual(findings('src/base/utility.h', ''), [])

    def test_conditionals_belong_outside_functions(self):
        self.assertEqual(len(findings('src/base/a.c', function(5, '#if defined(X)'))), 1)
        self.assertEqual(findings('src/base/a.c', '#if defined(X)\n' + function(5) + '#endif\n'), [])

    def test_unfinished_work_is_refused(self):
        self.assertEqual(len(findings('src/base/a.c', '/* ' + 'TO' + 'DO: more */\n')), 1)

    def test_each_file_names_its_licence(self):
        self.assertEqual(len(list(check_layers.check_file('src/base/a.c', 'int x;\n'))), 1)


if __name__ == '__main__':
    unittest.main()
