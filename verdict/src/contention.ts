// The names of the signs of contention that a cell may carry, in the order in which they are summed.

/** Keys of `Contention`. */
export const contentionSigns = ['runqueueP95Seconds', 'throttledShare', 'cpuPressureShare'] as const;
