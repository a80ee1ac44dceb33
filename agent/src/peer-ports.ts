// In: ports that the configuration lists. Out: the part of a probe that knows them, and what it calls the others. Pure.

/** Peers that services commonly have a pool of connections to; `plumbline_tcp_…` has them as `peer_port`. */
export const defaultPeerPorts: readonly number[] = [
  1433, // SQL Server
  1521, // Oracle
  3306, // MySQL
  5432, // PostgreSQL
  5672, // AMQP
  6379, // Redis
  6432, // PgBouncer
  9042, // Cassandra
  9092, // Kafka
  9200, // Elasticsearch
  11211, // memcached
  27017, // MongoDB
];

/** What the probe counts a port as that is not listed. */
const otherPort = 1;

/** Leaves `$peer` as it is if it is one of the ports. */
export const peerPortsFragment = (ports: readonly number[]): string => {
  const other = `$peer = (uint64)${otherPort};`;
  if (ports.length === 0) return other;
  return `if (${ports.map((port) => `$peer != ${port}`).join(' && ')}) {\n  ${other}\n}`;
};

/** The label of what the probe counts: nothing for a server, whose clients have ports of no meaning. */
export const peerPortLabel = (peer: number): string => {
  if (peer === 0) return '';
  return peer === otherPort ? 'other' : String(peer);
};
