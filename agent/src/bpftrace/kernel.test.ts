import { describe, expect, it, test } from 'vitest';
import {
  capabilitiesFor,
  fieldsOfFormat,
  hasCapability,
  hasFatalUretprobes,
  idsHaveGenerations,
  isAtLeast,
  lockdownMode,
  lackingCapabilities,
} from './kernel.ts';

test.each([
  ['4.18.0-553.el8.x86_64', true],
  ['6.1.0-13-amd64', true],
  ['10.0.1', true],
  ['4.17.19', false],
  ['3.10.0-1160.el7.x86_64', false],
  ['no version', false],
])('kernel %s is at least 4.18: %s', (text, expected) => {
  expect(isAtLeast(text, [4, 18])).toBe(expected);
});

test('capabilities are read from the effective set', () => {
  const status = 'Name:\tnode\nCapPrm:\t000001ffffffffff\nCapEff:\t000000c000000000\n';
  expect(hasCapability(status, 'CAP_BPF')).toBe(true);
  expect(hasCapability(status, 'CAP_PERFMON')).toBe(true);
  expect(hasCapability(status, 'CAP_SYS_ADMIN')).toBe(false);
  expect(hasCapability('', 'CAP_BPF')).toBe(false);
});

test('the lockdown mode is the one in brackets', () => {
  expect(lockdownMode('none [integrity] confidentiality\n')).toBe('integrity');
  expect(lockdownMode('')).toBe('none');
});

test('fields of a tracepoint are found, arrays and pointers too', () => {
  const format = [
    'name: inet_sock_set_state',
    'format:',
    '\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;',
    '',
    '\tfield:const void * skaddr;\toffset:8;\tsize:8;\tsigned:0;',
    '\tfield:__u8 saddr[4];\toffset:32;\tsize:4;\tsigned:0;',
  ].join('\n');
  expect(fieldsOfFormat(format)).toEqual(['common_type', 'skaddr', 'saddr']);
});

describe('capabilitiesFor', () => {
  it.each([
    ['tracepoint:a:b { }', '6.1.0', ['CAP_BPF', 'CAP_PERFMON']],
    ['tracepoint:a:b { }', '5.10.0', ['CAP_BPF', 'CAP_PERFMON', 'CAP_SYS_RESOURCE']],
    ['tracepoint:a:b { }', '4.18.0', ['CAP_SYS_ADMIN', 'CAP_SYS_RESOURCE']],
    [
      'uprobe:/lib/libssl.so:SSL_read { }',
      '6.1.0',
      ['CAP_BPF', 'CAP_PERFMON', 'CAP_SYS_PTRACE', 'CAP_SYS_ADMIN'],
    ],
  ])('of %s on %s', (program, release, expected) => {
    expect(capabilitiesFor(program, release)).toEqual(expected);
  });
});

describe('lackingCapabilities', () => {
  const status = (bits: bigint) => `CapPrm:\t0\nCapEff:\t${bits.toString(16).padStart(16, '0')}\n`;
  it.each([
    ['nothing', 0n, ['CAP_BPF', 'CAP_PERFMON', 'CAP_SYS_PTRACE']],
    ['CAP_BPF', 1n << 39n, ['CAP_PERFMON', 'CAP_SYS_PTRACE']],
    ['CAP_SYS_ADMIN, which stands for two', 1n << 21n, ['CAP_SYS_PTRACE']],
    ['all', (1n << 39n) | (1n << 38n) | (1n << 19n), []],
  ])('with %s', (_, bits, expected) => {
    expect(lackingCapabilities(status(bits), ['CAP_BPF', 'CAP_PERFMON', 'CAP_SYS_PTRACE'])).toEqual(expected);
  });
});

test.each([
  ['6.10.14', 'x64', false],
  ['6.11.0-29-generic', 'x64', true],
  ['6.11.0-29-generic', 'arm64', false],
  ['6.12.13-amd64', 'x64', true],
  ['6.12.14', 'x64', false],
  ['6.12.107+deb13-cloud-amd64', 'x64', false],
  ['6.13.2', 'x64', true],
  ['6.13.3', 'x64', false],
  ['6.14.0-15-generic', 'x64', false],
  ['5.10.0-32-amd64', 'x64', false],
  ['7.2.1', 'x64', false],
])('Linux %s on %s kills what returns into a uretprobe under seccomp: %s', (release, architecture, kills) => {
  expect(hasFatalUretprobes(release, architecture)).toBe(kills);
});

test.each([
  ['4.18.0-553.el8.x86_64', true],
  ['5.4.0-216-generic', true],
  ['5.5.0', false],
  ['6.18.5', false],
])('ids of cgroups on Linux %s have generations: %s', (release, expected) => {
  expect(idsHaveGenerations(release)).toBe(expected);
});
