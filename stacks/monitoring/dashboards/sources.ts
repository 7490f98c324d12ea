/** The data sources of every dashboard, by the names under which Grafana is told of them. */
export const prometheusSource = { type: "prometheus", uid: "timelift-prometheus" };
export const postgresSource = { type: "grafana-postgresql-datasource", uid: "timelift-postgresql" };
