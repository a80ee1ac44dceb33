// In: the text of /proc/self/mountinfo; out: the directory where the cgroup v2 tree is mounted.

interface Mount {
  readonly root: string;
  readonly mountPoint: string;
  readonly type: string;
}

/**
 * Returns the mount point of the cgroup v2 tree (on hybrid hosts /sys/fs/cgroup/unified), or nothing where there is
 * none. Of several, the one that shows the whole tree wins over one that shows a part of it.
 */
export const findCgroupRoot = (mountsText: string): string | undefined => {
  const mounts = mountsText.split('\n').flatMap(parseMount);
  // A later mount on the same mount point hides the earlier one.
  const visible = [...new Map(mounts.map((mount) => [mount.mountPoint, mount])).values()];
  const trees = visible.filter(({ type }) => type === 'cgroup2');
  return (trees.find(({ root }) => root === '/') ?? trees[0])?.mountPoint;
};

// proc_pid_mountinfo(5): `36 35 98:0 /root /mount/point rw,noatime [optional fields] - type source options`
const parseMount = (line: string): readonly Mount[] => {
  const [left = '', right] = line.split(' - ');
  const [, , , root, mountPoint] = left.split(' ');
  const type = right?.split(' ')[0];
  if (root === undefined || mountPoint === undefined || type === undefined) return [];
  return [{ root: unescape(root), mountPoint: unescape(mountPoint), type }];
};

// The kernel writes blanks and backslashes as three octal digits: `\040`.
const unescape = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
