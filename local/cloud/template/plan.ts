import type { PolicyDocument } from '../iam/policy.ts';
import type { Json } from './assembly.ts';

export interface BucketPlan {
  readonly name: string;
  readonly arn: string;
  readonly corsRules: readonly CorsRule[];
  readonly notifications: readonly BucketNotification[];
}

/** One rule of a bucket's CORS configuration, as the template names it. */
export interface CorsRule {
  readonly AllowedMethods: string[];
  readonly AllowedOrigins: string[];
  readonly AllowedHeaders?: string[];
  readonly ExposedHeaders?: string[];
  readonly MaxAge?: number;
}

export interface BucketNotification {
  readonly queueArn: string;
  readonly events: string[];
  readonly prefix?: string;
  readonly suffix?: string;
}

/** A queue or a table: `properties` are the template's, evaluated; the service reads them. */
export interface ServicePlan {
  readonly name: string;
  readonly arn: string;
  readonly properties: { readonly [key: string]: Json };
}

/** An asymmetric KMS key that signs. */
export interface SigningKeyPlan {
  readonly id: string;
  readonly arn: string;
}

export interface FunctionPlan {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  readonly roleArn: string;
  /** Folder with the unpacked bundle. */
  readonly folder: string;
  /** `file.export`, relative to the folder. */
  readonly handler: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly architecture: 'arm64' | 'x86_64';
  readonly reservedConcurrency?: number;
}

export interface MappingPlan {
  readonly logicalId: string;
  readonly queueArn: string;
  readonly functionArn: string;
  readonly batchSize: number;
  readonly batchingWindowSeconds: number;
  readonly maximumConcurrency?: number;
  readonly reportsItemFailures: boolean;
}

/** Who may invoke a function besides roles. */
export interface PermissionPlan {
  readonly functionArn: string;
  readonly principal: string;
  readonly sourceArn?: string;
}

export interface RolePlan {
  readonly name: string;
  readonly arn: string;
  readonly logicalId: string;
  /** Services that may assume the role, e.g. `lambda.amazonaws.com`. */
  readonly trustedServices: readonly string[];
  readonly policies: readonly PolicyDocument[];
}

export interface MachinePlan {
  readonly name: string;
  readonly arn: string;
  readonly type: 'STANDARD' | 'EXPRESS';
  readonly definition: Json;
  readonly roleArn: string;
}

/** A function that says who may call, payload format 2.0 with simple responses, each request anew. */
export interface AuthorizerPlan {
  readonly id: string;
  readonly functionArn: string;
  /** Headers, in lower case, that a request must carry. */
  readonly identityHeaders: readonly string[];
}

export interface RoutePlan {
  /** `POST /v1/tasks/{task}`, `ANY /x/{proxy+}` or `$default`. */
  readonly routeKey: string;
  readonly authorization: 'NONE' | 'AWS_IAM' | AuthorizerPlan;
  readonly functionArn: string;
  readonly timeoutMs: number;
}

export interface Throttle {
  /** Requests a second that refill the bucket. */
  readonly rate: number;
  /** Requests that the full bucket holds. */
  readonly burst: number;
}

export interface StagePlan {
  /** `$default` or a name, which is then the first segment of every path. */
  readonly name: string;
  readonly throttle?: Throttle;
  readonly routeThrottles: Readonly<Record<string, Throttle>>;
}

export interface ApiCors {
  readonly allowOrigins: readonly string[];
  readonly allowMethods: readonly string[];
  readonly allowHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly maxAge?: number;
  readonly allowCredentials: boolean;
}

export interface ApiPlan {
  readonly id: string;
  readonly name: string;
  readonly logicalId: string;
  readonly cors?: ApiCors;
  readonly routes: readonly RoutePlan[];
  readonly stages: readonly StagePlan[];
}

/** What the template asks for, with every name, ARN and URL as an account would have them. */
export interface CloudPlan {
  readonly buckets: readonly BucketPlan[];
  readonly queues: readonly ServicePlan[];
  readonly tables: readonly ServicePlan[];
  readonly signingKeys: readonly SigningKeyPlan[];
  readonly functions: readonly FunctionPlan[];
  readonly mappings: readonly MappingPlan[];
  readonly permissions: readonly PermissionPlan[];
  readonly roles: readonly RolePlan[];
  /** Policies of buckets and queues, by the ARN of what they guard. */
  readonly resourcePolicies: Readonly<Record<string, readonly PolicyDocument[]>>;
  readonly machines: readonly MachinePlan[];
  readonly apis: readonly ApiPlan[];
  readonly outputs: Readonly<Record<string, string>>;
}
