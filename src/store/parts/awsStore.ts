export { openAwsStore } from '../aws/aws.ts';
