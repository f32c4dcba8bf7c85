{{- /* Names, labels and addresses: each is decided here, once. */ -}}

{{- define "maskline.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 30 | trimSuffix "-" -}}
{{- end -}}

{{- /* 30 characters at most: a component (21 at most) and the hash of a revision (11) are added to it, and a label may have 63. */ -}}
{{- define "maskline.fullname" -}}
{{- $name := include "maskline.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 30 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 30 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 30 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "maskline.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "maskline.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- /* What selects the release's pods. Given (dict "root" $ "role" "filter"), those of a role; with "plugin", those of a plugin. */ -}}
{{- define "maskline.selector" -}}
app.kubernetes.io/name: {{ include "maskline.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .role }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- with .plugin }}
maskline/plugin: {{ . }}
{{- end }}
{{- end -}}

{{- define "maskline.labels" -}}
{{ include "maskline.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: maskline
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* The host of a Service: (dict "root" $ "service" "nats"). */ -}}
{{- define "maskline.host" -}}
{{ include "maskline.fullname" .root }}-{{ .service }}.{{ .root.Release.Namespace }}.svc.{{ .root.Values.clusterDomain }}
{{- end -}}

{{- /* An image: (dict "root" $ "image" .Values.image). */ -}}
{{- define "maskline.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ default .root.Chart.AppVersion .image.tag }}
{{- end -}}
{{- end -}}

{{- /* The gateways' gRPC addresses: the stable names that their StatefulSets give them. */ -}}
{{- define "maskline.gatewayAddresses" -}}
{{- $addresses := list -}}
{{- range (include "maskline.components" . | fromYamlArray) -}}
{{- if eq .role "gateway" -}}
{{- $pod := printf "%s-%s-0" (include "maskline.fullname" $) .name -}}
{{- $addresses = append $addresses (printf "%s.%s:7070" $pod (include "maskline.host" (dict "root" $ "service" .name))) -}}
{{- end -}}
{{- end -}}
{{- join "," $addresses -}}
{{- end -}}

{{- /*
What runs, as a list of {name, role, workload, plugin}: a gateway for each plugin, the filters, the rasterizers, the packagers. Every
template that makes something for each of them loops over it.
*/ -}}
{{- define "maskline.components" -}}
{{- range (include "maskline.plugins" . | fromYamlArray) }}
- name: gateway-{{ .name }}
  role: gateway
  workload: StatefulSet
  replicas: 1
  plugin:
    {{- toYaml . | nindent 4 }}
{{- end }}
- { name: filter, role: filter, workload: Deployment, replicas: {{ .Values.filter.replicas }} }
- { name: rasterizer, role: rasterizer, workload: Deployment, replicas: {{ .Values.rasterizer.replicas }} }
- { name: packager, role: packager, workload: StatefulSet, replicas: {{ .Values.packager.replicas }} }
{{- end -}}

{{- /* The plugins with everything filled in, the simulator's among them. */ -}}
{{- define "maskline.plugins" -}}
{{- range .Values.plugins }}
- name: {{ .name | quote }}
  id: {{ .id | quote }}
  connector: {{ default "WS" .connector }}
  host: {{ default $.Values.hub.host .host | quote }}
  apiHost: {{ default $.Values.hub.apiHost .apiHost | quote }}
  ingressHost: {{ default "" .ingressHost | quote }}
  config: {{ default (dict) .config | toJson }}
  secret:
    {{- if .existingSecret }}
    {{- toYaml .existingSecret | nindent 4 }}
    {{- else }}
    name: {{ include "maskline.fullname" $ }}
    key: plugin-{{ .name }}
    {{- end }}
{{- end }}
{{- if .Values.simulator.enabled }}
- name: simulator
  id: simulator
  connector: WS
  host: {{ include "maskline.simulatorUrl" . | quote }}
  apiHost: ""
  ingressHost: ""
  secret: { name: {{ include "maskline.fullname" . }}, key: plugin-simulator }
{{- end }}
{{- end -}}

{{- define "maskline.simulatorUrl" -}}
http://{{ include "maskline.host" (dict "root" . "service" "simulator") }}:3000
{{- end -}}
