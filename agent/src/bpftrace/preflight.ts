// In: this machine and a program. Out: a finding for each thing that bpftrace needs, with a remedy if it lacks.
import { execa } from 'execa';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { findCgroupRoot } from '../workloads/mountinfo.ts';
import type { TracepointUse } from './compose.ts';
import {
  capabilitiesFor,
  fieldsOfFormat,
  hasCapability,
  isAtLeast,
  lackingCapabilities,
  lockdownMode,
  type Version,
} from './kernel.ts';

/** `missing` stops the agent or the probes named; `warning` does not. */
export interface Finding {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'missing';
  readonly found: string;
  readonly remedy?: string;
}

export interface Preflight {
  readonly findings: readonly Finding[];
  readonly bpftraceVersion: string | undefined;
  /** Where the cgroup v2 hierarchy is mounted. */
  readonly cgroupRoot: string | undefined;
  /** The file of the kernel's types; without it, probes run reduced or not at all. */
  readonly btfFile: string | undefined;
}

const tracefs = '/sys/kernel/tracing';
const leastKernel: Version = [4, 18];
const leastBpftrace: Version = [0, 17];
/** From here on, even the arguments of tracepoints come from BTF alone. */
const firstBpftraceOnBtfAlone: Version = [0, 25];

/** Looks at this machine; mounts tracefs if it is not there and the rights suffice. Never throws. */
export const preflight = async (bpftracePath: string): Promise<Preflight> => {
  const cgroupRoot = findCgroupRoot(readText('/proc/self/mountinfo') ?? '');
  const bpftrace = await checkBpftrace(bpftracePath);
  const btf = await checkBtf(bpftracePath, bpftrace.version);
  const findings = [
    checkKernel(),
    checkRights(),
    checkLockdown(),
    btf.finding,
    checkCgroups(cgroupRoot),
    bpftrace.finding,
    await checkTracefs(),
  ];
  return { findings, bpftraceVersion: bpftrace.version, cgroupRoot, btfFile: btf.file };
};

const checkKernel = (): Finding =>
  isAtLeast(release(), leastKernel)
    ? ok('kernel', `Linux ${release()}`)
    : missing('kernel', `Linux ${release()}`, 'Linux 4.18 or newer has the tracepoints; upgrade this node');

const checkRights = (): Finding => {
  const label = 'rights';
  const lacking = lackingCapabilities(ownStatus(), capabilitiesFor('', release()));
  const uid = process.geteuid?.() ?? '?';
  if (lacking.length > 0) {
    const remedy = `run as root (sudo), or in a container as root with privileged: true or ${lacking.join(', ')}`;
    return missing(label, `uid ${uid} without ${lacking.join(' and ')}`, remedy);
  }
  const isAdmin = hasCapability(ownStatus(), 'CAP_SYS_ADMIN');
  return ok(label, `uid ${uid} with ${isAdmin ? 'CAP_SYS_ADMIN' : 'CAP_BPF and CAP_PERFMON'}`);
};

/** A finding for each capability that a program takes and this process lacks. */
export const checkProgramRights = (program: string): readonly Finding[] =>
  lackingCapabilities(ownStatus(), capabilitiesFor(program, release())).map((name) =>
    missing(name, 'not there', `run as root, or add the capability ${name}`),
  );

/** Whether this process can become another user, as `user` in the configuration wants. */
export const checkUser = (user: number): Finding => {
  if (process.geteuid?.() !== 0) return ok('user', 'listens as the user who starts it, who is not root');
  if (user === 0)
    return {
      name: 'user',
      status: 'warning',
      found: 'listens as root',
      remedy: 'leave out "user: 0"',
    };
  const lacking = lackingCapabilities(ownStatus(), ['CAP_SETUID', 'CAP_SETGID']);
  return lacking.length === 0
    ? ok('user', `listens as uid ${user}, without any rights`)
    : missing(
        'user',
        `cannot become uid ${user} without ${lacking.join(' and ')}`,
        `add ${lacking.join(', ')}, or set "user: 0" to listen as root`,
      );
};

const checkLockdown = (): Finding => {
  const mode = lockdownMode(readText('/sys/kernel/security/lockdown') ?? '');
  return mode === 'confidentiality'
    ? missing(
        'lockdown',
        mode,
        'boot with lockdown=integrity: confidentiality forbids BPF to read kernel memory',
      )
    : ok('lockdown', mode);
};

const checkBtf = async (
  bpftracePath: string,
  bpftraceVersion: string | undefined,
): Promise<{ finding: Finding; file: string | undefined }> => {
  const own = process.env.BPFTRACE_BTF;
  const file = own ?? '/sys/kernel/btf/vmlinux';
  if (existsSync(file)) {
    if (await canUseBtf(bpftracePath)) return { finding: ok('btf', file), file };
    const found = `${file}, which this bpftrace reads with CAP_SYS_ADMIN only: probes run reduced`;
    const remedy = 'bpftrace 0.23, which does without; or add the capability CAP_SYS_ADMIN';
    return { finding: { name: 'btf', status: 'warning', found, remedy }, file: undefined };
  }
  const kernel =
    'a kernel with CONFIG_DEBUG_INFO_BTF=y (Debian 11, Ubuntu 20.10, RHEL 8.2 and newer have it)';
  // A file that is not there crashes bpftrace 0.17.
  if (own !== undefined)
    return {
      finding: missing('btf', `no ${own}`, 'set BPFTRACE_BTF to a file, or not at all'),
      file: undefined,
    };
  const needsBtf = bpftraceVersion !== undefined && isAtLeast(bpftraceVersion, firstBpftraceOnBtfAlone);
  const finding: Finding = needsBtf
    ? missing(
        'btf',
        `no ${file}, and bpftrace ${bpftraceVersion} does nothing without`,
        `${kernel}, or bpftrace 0.17 to 0.24`,
      )
    : {
        name: 'btf',
        status: 'warning',
        found: `no ${file}: probes run reduced`,
        remedy: `${kernel}, or BPFTRACE_BTF=FILE`,
      };
  return { finding, file: undefined };
};

/** bpftrace 0.17 asks the kernel for its types in a way that is open to CAP_SYS_ADMIN alone; a program that needs them tells. */
const canUseBtf = async (bpftracePath: string): Promise<boolean> => {
  const isTelling = !hasCapability(ownStatus(), 'CAP_SYS_ADMIN') && checkProgramRights('').length === 0;
  if (!isTelling) return true;
  const program = 'BEGIN { printf("%d", ((struct task_struct *)curtask)->pid); exit(); }';
  const { failed } = await execa(bpftracePath, ['-e', program], { reject: false, timeout: 10_000 });
  return !failed;
};

/** On cgroup v1 alone the kernel gives every process the same id. */
const checkCgroups = (root: string | undefined): Finding => {
  const remedy =
    'boot with systemd.unified_cgroup_hierarchy=1; or, with v1 beside it, systemd.unified_cgroup_hierarchy=0 ' +
    'systemd.legacy_systemd_cgroup_controller=0. A mount alone does not do: nobody puts containers there';
  if (root === undefined) return missing('cgroup-v2', 'not mounted', remedy);
  const isUsed = readdirSync(root, { withFileTypes: true }).some((entry) => entry.isDirectory());
  return isUsed
    ? ok('cgroup-v2', root)
    : { name: 'cgroup-v2', status: 'warning', found: `${root}, where every process is in the root`, remedy };
};

const checkBpftrace = async (path: string): Promise<{ finding: Finding; version: string | undefined }> => {
  const { stdout, failed, code, shortMessage } = await execa(path, ['--version'], {
    reject: false,
    timeout: 10_000,
  });
  const version = /v?(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  if (failed || version === undefined) {
    const remedy =
      'apt-get install bpftrace (Debian, Ubuntu), dnf install bpftrace (Fedora, RHEL), or set bpftrace.path';
    const found = code === 'ENOENT' ? `${path}: not found` : (shortMessage ?? `"${stdout.slice(0, 40)}"`);
    return { finding: missing('bpftrace', found, remedy), version };
  }
  const finding = isAtLeast(version, leastBpftrace)
    ? ok('bpftrace', `${version} (${path})`)
    : missing('bpftrace', `${version} (${path})`, '0.17 or newer: upgrade it, or set bpftrace.path');
  return { finding, version };
};

const checkTracefs = async (): Promise<Finding> => {
  const before = lookAtTracefs();
  if (before === 'readable') return ok('tracefs', tracefs);
  if (before === 'not readable') return missing('tracefs', `${tracefs} is not readable`, 'run as root');
  const { failed, stderr } = await execa('mount', ['-t', 'tracefs', 'tracefs', tracefs], { reject: false });
  const reason = stderr.trim().split('\n')[0] ?? '';
  return !failed && lookAtTracefs() === 'readable'
    ? ok('tracefs', `${tracefs} (mounted just now)`)
    : missing('tracefs', reason || 'not mounted', `mount -t tracefs tracefs ${tracefs}, as root`);
};

const lookAtTracefs = (): 'readable' | 'not readable' | 'not mounted' => {
  try {
    readdirSync(`${tracefs}/events`);
    return 'readable';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'not mounted' : 'not readable';
  }
};

/**
 * A finding for each tracepoint of a program: is it there, with the fields that the program reads. One for all of them
 * where that cannot be told.
 */
export const checkTracepoints = (tracepoints: readonly TracepointUse[]): readonly Finding[] => {
  const look = lookAtTracefs();
  return look === 'readable' || tracepoints.length === 0
    ? tracepoints.map(checkTracepoint)
    : [missing('tracepoints', `cannot be told: tracefs is ${look}`, 'run as root')];
};

const checkTracepoint = ({ category, name, fields }: TracepointUse): Finding => {
  const label = `tracepoint ${category}:${name}`;
  const format = readText(`${tracefs}/events/${category}/${name}/format`);
  if (format === undefined) {
    const remedy =
      category === 'syscalls'
        ? 'a kernel with CONFIG_FTRACE_SYSCALLS=y'
        : 'a newer kernel: this one lacks it';
    return missing(label, 'not there', remedy);
  }
  const there = fieldsOfFormat(format);
  const lacking = fields.filter((field) => !there.includes(field));
  return lacking.length === 0
    ? ok(label, fields.join(', ') || 'no fields needed')
    : missing(
        label,
        `without ${lacking.join(', ')}`,
        'a newer kernel: the fields of this one do not suffice',
      );
};

/** One line a finding: what is missing, what was found, what to do. */
export const describeFindings = (findings: readonly Finding[]): string =>
  findings
    .map(({ name, found, remedy }) => `${name}: ${found}. Remedy: ${remedy ?? 'none known'}`)
    .join('\n');

const ok = (name: string, found: string): Finding => ({ name, status: 'ok', found });
const missing = (name: string, found: string, remedy: string): Finding => ({
  name,
  status: 'missing',
  found,
  remedy,
});

const ownStatus = () => readText('/proc/self/status') ?? '';

const readText = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
};
