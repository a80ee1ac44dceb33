// In: texts from procfs, sysfs and tracefs. Out: what they say of the kernel and of our rights. Pure.

export type Version = readonly [major: number, minor: number];

/** Whether a version text such as 6.1.0-13-amd64 or 0.17.0 is that version or newer; false if it is none. */
export const isAtLeast = (text: string, [major, minor]: Version): boolean => {
  const [, foundMajor = NaN, foundMinor = NaN] = /(\d+)\.(\d+)/.exec(text)?.map(Number) ?? [];
  return foundMajor > major || (foundMajor === major && foundMinor >= minor);
};

/**
 * Whether a kernel kills processes with a seccomp filter, as containers have, when a function returns that a uretprobe is
 * attached to: on x86-64 from 6.11 on, mended in 6.12.14, 6.13.3 and 6.14 (CVE-2025-21834).
 */
export const hasFatalUretprobes = (release: string, architecture: string): boolean => {
  if (architecture !== 'x64' || !isAtLeast(release, [6, 11]) || isAtLeast(release, [6, 14])) return false;
  const [, minor = 0, patch = 0] = /^6\.(\d+)\.(\d+)/.exec(release)?.map(Number) ?? [];
  return !((minor === 12 && patch >= 14) || (minor === 13 && patch >= 3));
};

/**
 * Whether the id of a cgroup is its inode in the low 32 bits, and above it how often that was used, from 1 on. Linux 5.5
 * made the two one (include/linux/kernfs.h).
 */
export const idsHaveGenerations = (release: string): boolean => !isAtLeast(release, [5, 5]);

/** Bit numbers of include/uapi/linux/capability.h. */
const capabilityBits = {
  CAP_SETGID: 6n,
  CAP_SETUID: 7n,
  CAP_SYS_PTRACE: 19n,
  CAP_SYS_ADMIN: 21n,
  CAP_SYS_RESOURCE: 24n,
  CAP_PERFMON: 38n,
  CAP_BPF: 39n,
};
export type Capability = keyof typeof capabilityBits;

/** Whether the effective set in /proc/PID/status has the capability. */
export const hasCapability = (status: string, name: Capability): boolean => {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return effective !== undefined && ((BigInt(`0x${effective}`) >> capabilityBits[name]) & 1n) === 1n;
};

/**
 * The capabilities that a bpftrace program takes: CAP_BPF and CAP_PERFMON came with 5.8, and 5.11 no longer charges
 * maps to RLIMIT_MEMLOCK. Uprobes are attached through /proc/PID/root, which only a tracer may follow.
 */
export const capabilitiesFor = (program: string, release: string): readonly Capability[] => {
  const needed = new Set<Capability>(
    isAtLeast(release, [5, 8]) ? ['CAP_BPF', 'CAP_PERFMON'] : ['CAP_SYS_ADMIN'],
  );
  if (!isAtLeast(release, [5, 11])) needed.add('CAP_SYS_RESOURCE');
  if (/^(uprobe|uretprobe|usdt):/m.test(program)) needed.add('CAP_SYS_PTRACE').add('CAP_SYS_ADMIN');
  return [...needed];
};

/** Those of the capabilities that a process lacks; CAP_SYS_ADMIN stands for the two that were split off from it. */
export const lackingCapabilities = (status: string, needed: readonly Capability[]): readonly Capability[] => {
  const isAdmin = hasCapability(status, 'CAP_SYS_ADMIN');
  const implied = (name: Capability) => isAdmin && (name === 'CAP_BPF' || name === 'CAP_PERFMON');
  return needed.filter((name) => !hasCapability(status, name) && !implied(name));
};

/** The mode in brackets of /sys/kernel/security/lockdown; `none` where that file is not there. */
export const lockdownMode = (text: string): string => /\[(\w+)\]/.exec(text)?.[1] ?? 'none';

/** Names of the fields in a tracepoint's format file. */
export const fieldsOfFormat = (format: string): readonly string[] =>
  [...format.matchAll(/^\tfield:.*?(\w+)(?:\[[^\]]*\])?;/gm)].map(([, field = '']) => field);
