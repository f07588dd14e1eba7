export { AckPolicy, DeliverPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
export { connect, TimeoutError } from '@nats-io/transport-node';
