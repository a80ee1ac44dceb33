import { describe, expect, it } from 'vitest';
import { findCgroupRoot } from './mountinfo.ts';

const v1 = '32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu';
const hybrid = '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw';
const unified = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate';

describe('findCgroupRoot', () => {
  it.each([
    ['a unified host', unified, '/sys/fs/cgroup'],
    ['a hybrid host', `${v1}\n${hybrid}\n`, '/sys/fs/cgroup/unified'],
    ['a host with v1 only', v1, undefined],
    ['an empty text', '', undefined],
    ['half a line', '41 31 0:38 / /sys/fs/cgr', undefined],
    ['a blank in the mount point', '41 31 0:38 / /mnt/my\\040tree rw - cgroup2 none rw', '/mnt/my tree'],
    [
      'a part of the tree before the whole',
      `50 1 0:26 /../pods /sys/fs/cgroup rw - cgroup2 cgroup rw\n51 1 0:26 / /host/cgroup rw - cgroup2 cgroup rw`,
      '/host/cgroup',
    ],
    [
      'only a part of the tree',
      '50 1 0:26 /kubepods /sys/fs/cgroup ro - cgroup2 cgroup ro',
      '/sys/fs/cgroup',
    ],
    [
      'a tree hidden under another mount',
      `${unified}\n60 30 0:40 / /sys/fs/cgroup rw - tmpfs tmpfs rw`,
      undefined,
    ],
  ])('reads %s', (_, text, root) => {
    expect(findCgroupRoot(text)).toBe(root);
  });
});
