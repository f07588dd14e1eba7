export { common, parse, Root } from 'protobufjs';
