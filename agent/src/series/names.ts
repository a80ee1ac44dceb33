// The metrics that more than the exposition reads, by what they are.

/** Names of metrics as they are exported. */
export const metricNames = {
  duration: 'plumbline_http_request_duration_seconds',
  netDuration: 'plumbline_http_request_net_duration_seconds',
  schedDelay: 'plumbline_http_request_sched_delay_seconds_total',
  blame: 'plumbline_cpu_blame_seconds_total',
  throttled: 'plumbline_cpu_throttled_seconds_total',
} as const;
