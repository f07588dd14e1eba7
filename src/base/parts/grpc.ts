export { Client, credentials, Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
