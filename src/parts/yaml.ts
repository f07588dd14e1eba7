export { isNode, isScalar, LineCounter, parseDocument } from 'yaml';
