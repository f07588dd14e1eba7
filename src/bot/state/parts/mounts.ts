export { AroundMounts } from '../local/aroundMounts.ts';
