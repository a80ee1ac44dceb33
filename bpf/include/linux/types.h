/* For kernels without BTF, where bpftrace knows no types: those that the arguments of tracepoints are made of
   (bpftrace includes this file by its name), and the two of user space that probes walk through. None of the kernel's
   own: those differ from kernel to kernel. */
#pragma once

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __s8 s8;
typedef __u8 u8;
typedef __s16 s16;
typedef __u16 u16;
typedef __s32 s32;
typedef __u32 u32;
typedef __s64 s64;
typedef __u64 u64;
typedef _Bool bool;
typedef unsigned long size_t;
typedef int pid_t;
typedef unsigned short umode_t;
typedef u32 dev_t;
typedef u64 sector_t;

struct iovec {
  void *iov_base;
  size_t iov_len;
};

struct user_msghdr {
  void *msg_name;
  int msg_namelen;
  struct iovec *msg_iov;
};
