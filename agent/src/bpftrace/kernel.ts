// In: texts from procfs, sysfs and tracefs. Out: what they say of the kernel and of our rights. Pure.

export type Version = readonly [major: number, minor: number];

/** Whether a version text such as 6.1.0-13-amd64 or 0.17.0 is that version or newer; false if it is none. */
export const isAtLeast = (text: string, [major, minor]: Version): boolean => {
  const [, foundMajor = NaN, foundMinor = NaN] = /(\d+)\.(\d+)/.exec(text)?.map(Number) ?? [];
  return foundMajor > major || (foundMajor === major && foundMinor >= minor);
};

/** Bit numbers of include/uapi/linux/capability.h. */
const capabilityBits = { CAP_SYS_ADMIN: 21n, CAP_PERFMON: 38n, CAP_BPF: 39n };

/** Whether the effective set in /proc/PID/status has the capability. */
export const hasCapability = (status: string, name: keyof typeof capabilityBits): boolean => {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return effective !== undefined && ((BigInt(`0x${effective}`) >> capabilityBits[name]) & 1n) === 1n;
};

/** The mode in brackets of /sys/kernel/security/lockdown; `none` where that file is not there. */
export const lockdownMode = (text: string): string => /\[(\w+)\]/.exec(text)?.[1] ?? 'none';

/** Names of the fields in a tracepoint's format file. */
export const fieldsOfFormat = (format: string): readonly string[] =>
  [...format.matchAll(/^\tfield:.*?(\w+)(?:\[[^\]]*\])?;/gm)].map(([, field = '']) => field);
