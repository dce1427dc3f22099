import { Logger } from '@aws-lambda-powertools/logger';
import { metricsService } from './env.ts';

/** One logger for a function; presigned URLs are never logged. */
export const logger = new Logger({ serviceName: metricsService });
