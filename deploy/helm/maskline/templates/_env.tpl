{{- /* The environment of a component's container: (dict "root" $ "component" ...). docs/configuration.md says what each variable means. */ -}}
{{- define "maskline.env" -}}
{{- $root := .root -}}
{{- $role := .component.role -}}
{{- $values := index $root.Values $role -}}
- { name: HEALTH_PORT, value: {{ $root.Values.probes.port | quote }} }
- { name: DRAIN_TIMEOUT, value: {{ printf "%ds" (int $values.drainSeconds) }} }
{{ include "maskline.busEnv" $root }}
{{ include "maskline.blobEnv" $root }}
{{- if eq .component.workload "StatefulSet" }}
- { name: DATA_DIR, value: /var/lib/maskline }
{{- end }}
{{- if eq $role "gateway" }}
{{- with .component.plugin }}
- { name: HOST, value: {{ .host | quote }} }
{{- with .apiHost }}
- { name: API_HOST, value: {{ . | quote }} }
{{- end }}
- { name: PLUGIN_ID, value: {{ .id | quote }} }
- { name: PLUGIN_SECRET_FILE, value: /run/secrets/maskline/plugin-secret }
- { name: CONNECTOR, value: {{ .connector }} }
{{- end }}
- { name: SESSION_WINDOW, value: {{ $root.Values.sessionWindow | quote }} }
- { name: GLOBAL_WINDOW, value: {{ $root.Values.globalWindow | quote }} }
- { name: PORT, value: "8080" }
- { name: GRPC_PORT, value: "7070" }
{{- if include "maskline.hasStateKey" $root }}
- { name: STATE_KEY_FILE, value: /run/secrets/maskline/state-key }
{{- end }}
{{- else if ne $role "rasterizer" }}
- { name: GATEWAY_ADDRS, value: {{ include "maskline.gatewayAddresses" $root | quote }} }
{{- end }}
{{- if ne $role "rasterizer" }}
- { name: GRPC_TOKEN_FILE, value: /run/secrets/maskline/grpc-token }
{{- if $root.Values.grpc.tlsSecret }}
- { name: GRPC_TLS_CA, value: /run/secrets/maskline/grpc-ca.crt }
- { name: GRPC_TLS_CERT, value: /run/secrets/maskline/grpc-tls.crt }
- { name: GRPC_TLS_KEY, value: /run/secrets/maskline/grpc-tls.key }
{{- end }}
{{- end }}
{{- if hasKey $values "concurrency" }}
- { name: CONCURRENCY, value: {{ $values.concurrency | quote }} }
{{- end }}
{{- if $root.Values.caSecret }}
- { name: NODE_EXTRA_CA_CERTS, value: /run/secrets/maskline/ca.crt }
{{- end }}
{{- include "maskline.telemetryEnv" . }}
{{- /* What the plugin says wins over what its role says, and that over what is said for all. */}}
{{- range $name, $value := merge (dict) (dig "plugin" "config" (dict) .component) $values.config $root.Values.config }}
- { name: {{ $name }}, value: {{ include "maskline.text" $value | quote }} }
{{- end }}
{{- end -}}

{{- /* A value as text: YAML's whole numbers arrive as floating ones, which would be written 2.68e+08. */ -}}
{{- define "maskline.text" -}}
{{- if kindIs "float64" . }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- end -}}

{{- define "maskline.blobEnv" -}}
{{- with .Values.blobs -}}
{{- if .volume.enabled -}}
- { name: BLOB_URL, value: "file:///var/lib/maskline-blobs" }
{{- else -}}
- { name: BLOB_URL, value: {{ printf "s3://%s/%s" .s3.bucket .s3.prefix | trimSuffix "/" | quote }} }
{{- with .s3.endpoint }}
- { name: AWS_ENDPOINT_URL_S3, value: {{ . | quote }} }
{{- end }}
{{- with .s3.region }}
- { name: AWS_REGION, value: {{ . | quote }} }
{{- end }}
{{- if ne .s3.pathStyle "auto" }}
- { name: BLOB_PATH_STYLE, value: {{ .s3.pathStyle | quote }} }
{{- end }}
{{- with .s3.existingSecret }}
- { name: AWS_ACCESS_KEY_ID, valueFrom: { secretKeyRef: { name: {{ . }}, key: accessKeyId } } }
- { name: AWS_SECRET_ACCESS_KEY, valueFrom: { secretKeyRef: { name: {{ . }}, key: secretAccessKey } } }
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "maskline.telemetryEnv" -}}
{{- with .root.Values.telemetry }}
{{- if .otlpEndpoint }}
- { name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ .otlpEndpoint | quote }} }
- { name: OTEL_EXPORTER_OTLP_PROTOCOL, value: {{ .otlpProtocol }} }
{{- with .headersSecret }}
- { name: OTEL_EXPORTER_OTLP_HEADERS, valueFrom: { secretKeyRef: { name: {{ .name }}, key: {{ .key }} } } }
{{- end }}
- { name: POD_NAME, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
- { name: OTEL_RESOURCE_ATTRIBUTES, value: "k8s.namespace.name={{ $.root.Release.Namespace }},k8s.pod.name=$(POD_NAME)" }
{{- end }}
{{- end }}
{{- end -}}

{{- /* How the services reach the bus. */ -}}
{{- define "maskline.busEnv" -}}
- { name: BUS, value: {{ .Values.bus }} }
{{- if eq .Values.bus "nats" }}
{{- with .Values.nats }}
- { name: NATS_URL, value: {{ include "maskline.natsUrl" $ | quote }} }
- { name: NATS_PREFIX, value: {{ .prefix | quote }} }
- { name: NATS_REPLICAS, value: {{ .replicas | quote }} }
- { name: NATS_STREAM_BYTES, value: {{ .streamBytes | quote }} }
- { name: NATS_RUN_MESSAGES, value: {{ default (mul 2 $.Values.sessionWindow) (int .runMessages) | quote }} }
{{- with include "maskline.natsSecret" $ | fromYaml }}
{{- if eq .file "nats-password" }}
- { name: NATS_USER, value: {{ $.Values.nats.auth.user | quote }} }
{{- end }}
- { name: {{ .file | upper | replace "-" "_" }}_FILE, value: /run/secrets/maskline/{{ .file }} }
{{- end }}
{{- if .tls.caSecret }}
- { name: NATS_TLS_CA_FILE, value: /run/secrets/maskline/nats-ca.crt }
{{- end }}
{{- if .tls.certSecret }}
- { name: NATS_TLS_CERT_FILE, value: /run/secrets/maskline/nats-tls.crt }
- { name: NATS_TLS_KEY_FILE, value: /run/secrets/maskline/nats-tls.key }
{{- end }}
{{- end }}
{{- else }}
{{- with .Values.kafka }}
- { name: KAFKA_BROKERS, value: {{ .brokers | quote }} }
- { name: KAFKA_PREFIX, value: {{ .prefix | quote }} }
- { name: KAFKA_PARTITIONS, value: {{ .partitions | quote }} }
- { name: KAFKA_REPLICATION, value: {{ .replication | quote }} }
{{- if .sasl.mechanism }}
- { name: KAFKA_SASL_MECHANISM, value: {{ .sasl.mechanism }} }
- { name: KAFKA_SASL_USERNAME, valueFrom: { secretKeyRef: { name: {{ .sasl.existingSecret }}, key: {{ .sasl.usernameKey }} } } }
- { name: KAFKA_SASL_PASSWORD_FILE, value: /run/secrets/maskline/kafka-password }
{{- end }}
- { name: KAFKA_TLS, value: {{ ternary "yes" "no" .tls.enabled | quote }} }
{{- if .tls.enabled }}
{{- if .tls.caSecret }}
- { name: KAFKA_TLS_CA_FILE, value: /run/secrets/maskline/kafka-ca.crt }
{{- end }}
{{- if .tls.certSecret }}
- { name: KAFKA_TLS_CERT_FILE, value: /run/secrets/maskline/kafka-tls.crt }
- { name: KAFKA_TLS_KEY_FILE, value: /run/secrets/maskline/kafka-tls.key }
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "maskline.natsUrl" -}}
{{- if .Values.nats.enabled -}}
nats://{{ include "maskline.host" (dict "root" . "service" "nats") }}:4222
{{- else -}}
{{ .Values.nats.url }}
{{- end -}}
{{- end -}}

{{- /* What NATS is shown: {file, name, key}, the file's name being that of the variable; nothing where it asks for none. */ -}}
{{- define "maskline.natsSecret" -}}
{{- $auth := .Values.nats.auth -}}
{{- $found := dict -}}
{{- range $file, $secret := dict "nats-creds" $auth.credsSecret "nats-nkey" $auth.nkeySecret "nats-token" $auth.tokenSecret "nats-password" $auth.existingSecret -}}
{{- if $secret -}}
{{- $found = dict "file" $file "name" $secret.name "key" $secret.key -}}
{{- end -}}
{{- end -}}
{{- if and (not $found) (or .Values.nats.enabled $auth.password) -}}
{{- $found = dict "file" "nats-password" "name" (include "maskline.fullname" .) "key" "nats-password" -}}
{{- end -}}
{{- toYaml $found -}}
{{- end -}}

{{- define "maskline.busSecretFiles" -}}
{{- if eq .Values.bus "nats" }}
{{- with include "maskline.natsSecret" . | fromYaml }}
- secret: { name: {{ .name }}, items: [{ key: {{ .key }}, path: {{ .file }} }] }
{{- end }}
{{- with .Values.nats.tls.caSecret }}
- secret: { name: {{ .name }}, items: [{ key: {{ .key }}, path: nats-ca.crt }] }
{{- end }}
{{- with .Values.nats.tls.certSecret }}
- secret: { name: {{ . }}, items: [{ key: tls.crt, path: nats-tls.crt }, { key: tls.key, path: nats-tls.key }] }
{{- end }}
{{- else }}
{{- with .Values.kafka.sasl }}
{{- if .mechanism }}
- secret: { name: {{ .existingSecret }}, items: [{ key: {{ .passwordKey }}, path: kafka-password }] }
{{- end }}
{{- end }}
{{- if .Values.kafka.tls.enabled }}
{{- with .Values.kafka.tls.caSecret }}
- secret: { name: {{ .name }}, items: [{ key: {{ .key }}, path: kafka-ca.crt }] }
{{- end }}
{{- with .Values.kafka.tls.certSecret }}
- secret: { name: {{ . }}, items: [{ key: tls.crt, path: kafka-tls.crt }, { key: tls.key, path: kafka-tls.key }] }
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "maskline.hasStateKey" -}}
{{- if or .Values.stateKey.value .Values.stateKey.existingSecret }}true{{ end -}}
{{- end -}}

{{- /* The secrets that the component may read, as sources of a projected volume: each only what it needs. */ -}}
{{- define "maskline.secretFiles" -}}
{{- $root := .root -}}
{{- $own := include "maskline.fullname" $root -}}
{{- if ne .component.role "rasterizer" }}
{{- with $root.Values.grpc.existingSecret }}
- secret: { name: {{ .name }}, items: [{ key: {{ .key }}, path: grpc-token }] }
{{- else }}
- secret: { name: {{ $own }}, items: [{ key: grpc-token, path: grpc-token }] }
{{- end }}
{{- with $root.Values.grpc.tlsSecret }}
- secret:
    name: {{ . }}
    items: [{ key: ca.crt, path: grpc-ca.crt }, { key: tls.crt, path: grpc-tls.crt }, { key: tls.key, path: grpc-tls.key }]
{{- end }}
{{- end }}
{{- if eq .component.role "gateway" }}
{{- with .component.plugin.secret }}
- secret: { name: {{ .name }}, items: [{ key: {{ .key }}, path: plugin-secret }] }
{{- end }}
{{- if include "maskline.hasStateKey" $root }}
{{- with $root.Values.stateKey.existingSecret }}
- secret: { name: {{ .name }}, items: [{ key: {{ .key }}, path: state-key }] }
{{- else }}
- secret: { name: {{ $own }}, items: [{ key: state-key, path: state-key }] }
{{- end }}
{{- end }}
{{- end }}
{{- with $root.Values.caSecret }}
- secret: { name: {{ .name }}, items: [{ key: {{ .key }}, path: ca.crt }] }
{{- end }}
{{- include "maskline.busSecretFiles" $root }}
{{- end -}}

{{- /* The secrets among the values that the component reads, as text: what changes when one of them does. */ -}}
{{- define "maskline.givenSecrets" -}}
{{- $given := list .root.Values.nats.auth.password -}}
{{- if ne .component.role "rasterizer" -}}
{{- $given = append $given .root.Values.grpc.token -}}
{{- end -}}
{{- if eq .component.role "gateway" -}}
{{- $given = append $given .root.Values.stateKey.value -}}
{{- range .root.Values.plugins -}}
{{- if eq .name $.component.plugin.name -}}
{{- $given = append $given .secret -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $given -}}
{{- end -}}
