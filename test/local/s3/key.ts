/** The one access key of the gateway's own tests. */
export const key = { accessKeyId: 'AKIALOCALTEST', secretAccessKey: 'local-secret' };
