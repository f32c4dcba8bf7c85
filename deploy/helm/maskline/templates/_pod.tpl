{{- /* The pod of a component: (dict "root" $ "component" <an entry of maskline.components>). */ -}}
{{- define "maskline.pod" -}}
{{- $root := .root -}}
{{- $role := .component.role -}}
{{- $values := index $root.Values $role -}}
{{- $names := dict "root" $root "role" $role -}}
metadata:
  labels:
    {{- include "maskline.podLabels" . | nindent 4 }}
  annotations:
    {{- /* A given secret that changes restarts the pods; what a Secret of somebody else's holds is not known here. */}}
    checksum/secrets: {{ include "maskline.givenSecrets" . | sha256sum }}
    {{- with $values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "maskline.serviceAccount" $root }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with $root.Values.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  securityContext:
    {{- toYaml $root.Values.podSecurityContext | nindent 4 }}
  # Drained within {{ $values.drainSeconds }} s, cut 5 s later, after {{ include "maskline.preStopSeconds" $role }} s in which nothing new is sent to it; 10 s are to spare.
  terminationGracePeriodSeconds: {{ add $values.drainSeconds 5 (include "maskline.preStopSeconds" $role) 10 }}
  {{- if $root.Values.topologySpread.enabled }}
  topologySpreadConstraints:
    {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "maskline.selector" $names | nindent 10 }}
    {{- end }}
  {{- end }}
  {{- with $values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  containers:
    - name: {{ $role }}
      image: {{ include "maskline.image" (dict "root" $root "image" $root.Values.image) }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args: [{{ $role }}]
      env:
        {{- include "maskline.env" . | nindent 8 }}
      ports:
        - { name: health, containerPort: {{ $root.Values.probes.port }} }
        {{- if eq $role "gateway" }}
        - { name: grpc, containerPort: 7070 }
        {{- if eq .component.plugin.connector "REST" }}
        - { name: rest, containerPort: 8080 }
        {{- end }}
        {{- end }}
      # Live as long as its event loop turns; a restart would mend no broker and no Hub, so neither is asked.
      livenessProbe:
        httpGet: { path: /livez, port: health }
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: { path: /readyz, port: health }
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 3
      {{- if ne (include "maskline.preStopSeconds" $role) "0" }}
      lifecycle:
        preStop:
          sleep: { seconds: {{ include "maskline.preStopSeconds" $role }} }
      {{- end }}
      resources:
        {{- toYaml $values.resources | nindent 8 }}
      securityContext:
        {{- toYaml $root.Values.securityContext | nindent 8 }}
      volumeMounts:
        - { name: tmp, mountPath: /tmp }
        {{- if include "maskline.secretFiles" . | trim }}
        - { name: secrets, mountPath: /run/secrets/maskline, readOnly: true }
        {{- end }}
        {{- if eq .component.workload "StatefulSet" }}
        - { name: data, mountPath: /var/lib/maskline }
        {{- end }}
        {{- if $root.Values.blobs.volume.enabled }}
        - { name: blobs, mountPath: /var/lib/maskline-blobs }
        {{- end }}
  volumes:
    - name: tmp
      emptyDir: { sizeLimit: 1Gi }
    {{- with include "maskline.secretFiles" . | trim }}
    - name: secrets
      projected:
        defaultMode: 0440
        sources:
          {{- . | nindent 10 }}
    {{- end }}
    {{- if $root.Values.blobs.volume.enabled }}
    - name: blobs
      persistentVolumeClaim:
        claimName: {{ default (printf "%s-blobs" (include "maskline.fullname" $root)) $root.Values.blobs.volume.existingClaim }}
    {{- end }}
{{- end -}}

{{- /* Hub's calls of the REST connector come by a Service, which must forget the pod first. Nobody calls the others. */ -}}
{{- define "maskline.preStopSeconds" -}}
{{- if eq . "gateway" }}5{{ else }}0{{ end -}}
{{- end -}}

{{- define "maskline.podLabels" -}}
{{- include "maskline.selector" (dict "root" .root "role" .component.role "plugin" (dig "plugin" "name" "" .component)) }}
maskline/scraped: "true"
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}
