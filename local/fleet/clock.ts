/** How a fleet waits: on real time, or on virtual time where one thing happens after the other. */
export interface FleetClock {
  now(): number;
  /** @throws the signal's reason when it aborts */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Runs the activities side by side until all have ended; whatever they wait for must be `sleep` or real work. */
  run(activities: readonly (() => Promise<void>)[]): Promise<void>;
}
