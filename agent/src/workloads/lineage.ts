// In: the path of a cgroup; out: the cgroups it lies in.

/** Returns a path and its ancestors, nearest first. The root, in which everything lies, is in nobody's lineage but its own. */
export const lineageOf = (path: string): readonly string[] => {
  const lineage = [path];
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    lineage.push(path.slice(0, end));
  }
  return lineage;
};
