import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** One alert as a webhook of Alertmanager's is told of it. */
export interface Received {
  alertname: string;
  status: "firing" | "resolved";
  labels: Record<string, string>;
  annotations: Record<string, string>;
  at: number;
}

/** A webhook that remembers what it was told. */
export class AlertReceiver {
  readonly received: Received[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<AlertReceiver> {
    const server = createServer();
    const receiver = new AlertReceiver(server);
    server.on("request", (request, response) => {
      let text = "";
      request.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
      });
      request.on("end", () => {
        const { alerts } = JSON.parse(text) as { alerts: Omit<Received, "alertname" | "at">[] };
        for (const { status, labels, annotations } of alerts) {
          const alertname = labels.alertname as string;
          receiver.received.push({ alertname, status, labels, annotations, at: Date.now() });
        }
        response.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/alerts`;
  }

  /** The first message of that kind since a moment, or undefined. */
  find(alertname: string, status: Received["status"], since = 0): Received | undefined {
    return this.received.find(
      (each) => each.alertname === alertname && each.status === status && each.at >= since,
    );
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
