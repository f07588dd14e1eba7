export { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
