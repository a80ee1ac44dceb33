// The metrics that more than the exposition reads, by what they are.

/** Names of metrics as they are exported. */
export const metricNames = {
  duration: 'plumbline_http_request_duration_seconds',
  netDuration: 'plumbline_http_request_net_duration_seconds',
  schedDelay: 'plumbline_http_request_sched_delay_seconds_total',
  blame: 'plumbline_cpu_blame_seconds_total',
  throttled: 'plumbline_cpu_throttled_seconds_total',
  stolen: 'plumbline_cpu_stolen_seconds_total',
  cpu: 'plumbline_cpu_seconds_total',
  pressure: 'plumbline_pressure_seconds_total',
  memory: 'plumbline_memory_bytes',
  runqueue: 'plumbline_runqueue_wait_seconds',
  retransmits: 'plumbline_tcp_retransmits_total',
  connectionFailures: 'plumbline_tcp_connections_failed_total',
} as const;
