{{- /* Who counts filters and rasterizers: keda, hpa or none. `auto` asks what the cluster knows. */ -}}
{{- define "maskline.scalingEngine" -}}
{{- if ne .Values.autoscaling.engine "auto" -}}
{{ .Values.autoscaling.engine }}
{{- else if .Capabilities.APIVersions.Has "keda.sh/v1alpha1/ScaledObject" -}}
keda
{{- else -}}
hpa
{{- end -}}
{{- end -}}

{{- define "maskline.scalingBehaviour" -}}
scaleUp:
  stabilizationWindowSeconds: 0
  policies:
    - { type: Percent, value: {{ .Values.autoscaling.scaleUpPercent }}, periodSeconds: 15 }
    - { type: Pods, value: 4, periodSeconds: 15 }
  selectPolicy: Max
scaleDown:
  stabilizationWindowSeconds: {{ .Values.autoscaling.scaleDownStabilization }}
  policies:
    - { type: Percent, value: {{ .Values.autoscaling.scaleDownPercent }}, periodSeconds: 60 }
{{- end -}}
