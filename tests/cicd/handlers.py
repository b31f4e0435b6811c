"""What CloudFormation's handlers ask for, by type of the app template: what we grant, and what not, and why not."""

from __future__ import annotations

NEEDED = {
    "AWS::ApplicationAutoScaling::ScalableTarget": """application-autoscaling:DescribeScalableTargets
        application-autoscaling:DescribeScheduledActions
        application-autoscaling:RegisterScalableTarget application-autoscaling:DeregisterScalableTarget
        application-autoscaling:ListTagsForResource application-autoscaling:TagResource
        application-autoscaling:UntagResource cloudwatch:DeleteAlarms cloudwatch:DescribeAlarms
        cloudwatch:PutMetricAlarm iam:CreateServiceLinkedRole""",
    "AWS::ApplicationAutoScaling::ScalingPolicy": """application-autoscaling:DescribeScalingPolicies
        application-autoscaling:PutScalingPolicy application-autoscaling:DeleteScalingPolicy
        cloudwatch:GetMetricData""",
    "AWS::CertificateManager::Certificate": """acm:RequestCertificate acm:DescribeCertificate acm:DeleteCertificate
        acm:UpdateCertificateOptions acm:AddTagsToCertificate acm:RemoveTagsFromCertificate
        acm:ListTagsForCertificate route53:ChangeResourceRecordSets""",
    "AWS::CloudWatch::Alarm": """cloudwatch:PutMetricAlarm cloudwatch:DescribeAlarms cloudwatch:DeleteAlarms
        cloudwatch:TagResource cloudwatch:UntagResource cloudwatch:ListTagsForResource""",
    "AWS::EC2::SecurityGroup": """ec2:CreateSecurityGroup ec2:DeleteSecurityGroup ec2:DescribeSecurityGroups
        ec2:DescribeInstances ec2:AuthorizeSecurityGroupEgress ec2:AuthorizeSecurityGroupIngress
        ec2:RevokeSecurityGroupEgress ec2:RevokeSecurityGroupIngress ec2:UpdateSecurityGroupRuleDescriptionsEgress
        ec2:UpdateSecurityGroupRuleDescriptionsIngress ec2:CreateTags ec2:DeleteTags""",
    "AWS::EC2::SecurityGroupIngress": """ec2:AuthorizeSecurityGroupIngress ec2:RevokeSecurityGroupIngress
        ec2:UpdateSecurityGroupRuleDescriptionsIngress ec2:DescribeSecurityGroupRules ec2:DescribeSecurityGroups""",
    "AWS::ECS::Cluster": """ecs:CreateCluster ecs:DescribeClusters ecs:UpdateCluster ecs:UpdateClusterSettings
        ecs:PutClusterCapacityProviders ecs:DeleteCluster ecs:TagResource ecs:UntagResource ecs:ListTagsForResource
        iam:CreateServiceLinkedRole""",
    "AWS::ECS::Service": """ecs:CreateService ecs:UpdateService ecs:DeleteService ecs:DescribeServices
        ecs:DescribeServiceDeployments ecs:ListServiceDeployments ecs:StopServiceDeployment ecs:TagResource
        ecs:UntagResource ecs:ListTagsForResource iam:PassRole""",
    "AWS::ECS::TaskDefinition": """ecs:RegisterTaskDefinition ecs:DescribeTaskDefinition ecs:DeregisterTaskDefinition
        ecs:TagResource ecs:UntagResource ecs:ListTagsForResource iam:GetRole iam:PassRole""",
    "AWS::ElasticLoadBalancingV2::Listener": """elasticloadbalancing:CreateListener elasticloadbalancing:ModifyListener
        elasticloadbalancing:ModifyListenerAttributes elasticloadbalancing:DeleteListener
        elasticloadbalancing:DescribeListeners elasticloadbalancing:DescribeListenerAttributes
        elasticloadbalancing:DescribeTags elasticloadbalancing:AddTags elasticloadbalancing:RemoveTags""",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": """elasticloadbalancing:CreateLoadBalancer
        elasticloadbalancing:DeleteLoadBalancer elasticloadbalancing:DescribeLoadBalancers
        elasticloadbalancing:DescribeLoadBalancerAttributes elasticloadbalancing:DescribeCapacityReservation
        elasticloadbalancing:DescribeTags elasticloadbalancing:ModifyLoadBalancerAttributes
        elasticloadbalancing:SetIpAddressType elasticloadbalancing:SetSecurityGroups elasticloadbalancing:SetSubnets
        elasticloadbalancing:AddTags elasticloadbalancing:RemoveTags""",
    "AWS::ElasticLoadBalancingV2::TargetGroup": """elasticloadbalancing:CreateTargetGroup
        elasticloadbalancing:DeleteTargetGroup elasticloadbalancing:ModifyTargetGroup
        elasticloadbalancing:ModifyTargetGroupAttributes elasticloadbalancing:DescribeTargetGroups
        elasticloadbalancing:DescribeTargetGroupAttributes elasticloadbalancing:DescribeTargetHealth
        elasticloadbalancing:DescribeTags elasticloadbalancing:AddTags elasticloadbalancing:RemoveTags
        ec2:DescribeVpcs""",
    "AWS::IAM::Role": """iam:CreateRole iam:DeleteRole iam:GetRole iam:UpdateRole iam:UpdateRoleDescription
        iam:UpdateAssumeRolePolicy iam:PutRolePermissionsBoundary iam:AttachRolePolicy iam:DetachRolePolicy
        iam:ListAttachedRolePolicies iam:PutRolePolicy iam:GetRolePolicy iam:DeleteRolePolicy iam:ListRolePolicies
        iam:TagRole iam:UntagRole""",
    "AWS::KMS::Key": """kms:CreateKey kms:DescribeKey kms:ScheduleKeyDeletion kms:EnableKeyRotation
        kms:DisableKeyRotation kms:GetKeyRotationStatus kms:GetKeyPolicy kms:PutKeyPolicy kms:UpdateKeyDescription
        kms:ListResourceTags kms:TagResource kms:UntagResource""",
    "AWS::Logs::LogGroup": """logs:CreateLogGroup logs:DeleteLogGroup logs:DescribeLogGroups logs:PutRetentionPolicy
        logs:DeleteRetentionPolicy logs:GetDataProtectionPolicy logs:DeleteDataProtectionPolicy
        logs:DescribeIndexPolicies logs:DescribeResourcePolicies logs:ListTagsForResource logs:TagResource
        logs:UntagResource""",
    "AWS::Logs::MetricFilter": "logs:PutMetricFilter logs:DescribeMetricFilters logs:DeleteMetricFilter",
    "AWS::Route53::HostedZone": """route53:CreateHostedZone route53:GetHostedZone route53:UpdateHostedZoneComment
        route53:DeleteHostedZone route53:GetChange route53:ListQueryLoggingConfigs route53:ListTagsForResource
        route53:ChangeTagsForResource ec2:DescribeVpcs""",
    "AWS::Route53::RecordSet": """route53:ChangeResourceRecordSets route53:ListResourceRecordSets
        route53:GetHostedZone route53:ListHostedZones route53:GetChange""",
    "AWS::SNS::Subscription": """sns:Subscribe sns:GetSubscriptionAttributes sns:SetSubscriptionAttributes
        sns:Unsubscribe""",
    "AWS::SNS::Topic": """sns:CreateTopic sns:DeleteTopic sns:GetTopicAttributes sns:SetTopicAttributes sns:Subscribe
        sns:Unsubscribe sns:ListSubscriptionsByTopic sns:GetDataProtectionPolicy sns:ListTagsForResource
        sns:TagResource sns:UntagResource""",
    "AWS::SNS::TopicPolicy": "sns:SetTopicAttributes",
    "AWS::SecretsManager::Secret": """secretsmanager:CreateSecret secretsmanager:DescribeSecret
        secretsmanager:UpdateSecret secretsmanager:DeleteSecret secretsmanager:TagResource
        secretsmanager:UntagResource""",
    "AWS::WAFv2::WebACLAssociation": """wafv2:AssociateWebACL wafv2:DisassociateWebACL wafv2:GetWebACL
        wafv2:GetWebACLForResource elasticloadbalancing:SetWebACL elasticloadbalancing:CreateWebACLAssociation
        elasticloadbalancing:DeleteWebACLAssociation elasticloadbalancing:GetLoadBalancerWebACL""",
}
LEFT_OUT = {
    "a deployment is to see no value, and the template sets none but the word `none`": """
        secretsmanager:GetSecretValue""",
    "a role is never without its boundary": "iam:DeleteRolePermissionsBoundary",
    "the account's settings are not a stack's": "ecs:PutAccountSetting ecs:PutAccountSettingDefault",
    "for a property that the template does not set": """
        acm-pca:GetCertificate acm-pca:IssueCertificate
        application-autoscaling:PutScheduledAction application-autoscaling:DeleteScheduledAction
        cognito-idp:DescribeUserPoolClient
        ec2:DescribeIpamPools elasticloadbalancing:ModifyIpPools elasticloadbalancing:ModifyCapacityReservation
        elasticloadbalancing:RegisterTargets elasticloadbalancing:DeregisterTargets
        kms:DisableKey kms:EnableKey
        lambda:GetProvisionedConcurrencyConfig lambda:PutProvisionedConcurrencyConfig
        lambda:DeleteProvisionedConcurrencyConfig
        firehose:TagDeliveryStream s3:REST.PUT.OBJECT logs:CreateLogDelivery logs:AssociateKmsKey
        logs:DisassociateKmsKey logs:PutDataProtectionPolicy logs:PutIndexPolicy logs:DeleteIndexPolicy
        logs:PutResourcePolicy logs:DeleteResourcePolicy logs:PutBearerTokenAuthentication
        logs:PutLogGroupDeletionProtection
        route53:AssociateVPCWithHostedZone route53:DisassociateVPCFromHostedZone route53:CreateQueryLoggingConfig
        route53:DeleteQueryLoggingConfig route53:UpdateHostedZoneFeatures
        secretsmanager:GetRandomPassword secretsmanager:ReplicateSecretToRegions
        secretsmanager:RemoveRegionsFromReplication
        sns:PutDataProtectionPolicy
        wafv2:GetPermissionPolicy wafv2:PutPermissionPolicy""",
}
# The same, but granted for other types.
OF_OTHER_TYPES = {
    "AWS::ApplicationAutoScaling::ScalableTarget": "iam:PassRole",  # RoleARN
    "AWS::ECS::Cluster": "kms:DescribeKey",  # ManagedStorageConfiguration
    "AWS::SNS::Subscription": "iam:GetRole iam:PassRole",  # SubscriptionRoleArn
    "AWS::SNS::Topic": "iam:GetRole iam:PassRole",  # DeliveryStatusLogging
}
# What a web ACL may be put before besides a balancer.
FIREWALLED = ("amplify:", "apigateway:", "apprunner:", "appsync:", "bedrock-agentcore:", "cognito-idp:", "ec2:")
TARGETS = {  # what the calls for a type are about, as a part of its ARN
    "AWS::ApplicationAutoScaling::ScalableTarget": ("scalable-target", "TargetTracking", "role/aws-service-role"),
    "AWS::ApplicationAutoScaling::ScalingPolicy": ("scalable-target",),
    "AWS::CertificateManager::Certificate": ("certificate", "hostedzone"),
    "AWS::CloudWatch::Alarm": ("-ErrorsAlarm-",),
    "AWS::EC2::SecurityGroup": ("security-group",),
    "AWS::EC2::SecurityGroupIngress": ("security-group",),
    "AWS::ECS::Cluster": (":cluster/", "role/aws-service-role"),
    "AWS::ECS::Service": (":service/", ":service-deployment/", "-TaskRole-"),
    "AWS::ECS::TaskDefinition": (":task-definition/", "-TaskRole-"),
    "AWS::ElasticLoadBalancingV2::Listener": (":listener/", ":loadbalancer/"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": (":loadbalancer/",),
    "AWS::ElasticLoadBalancingV2::TargetGroup": (":targetgroup/",),
    "AWS::IAM::Role": ("-TaskRole-",),
    "AWS::KMS::Key": (":key/",),
    "AWS::Logs::LogGroup": ("-LogGroup-",),
    "AWS::Logs::MetricFilter": ("-LogGroup-",),
    "AWS::Route53::HostedZone": ("hostedzone",),
    "AWS::Route53::RecordSet": ("hostedzone",),
    "AWS::SNS::Subscription": ("-AlarmTopic-",),
    "AWS::SNS::Topic": ("-AlarmTopic-",),
    "AWS::SNS::TopicPolicy": ("-AlarmTopic-",),
    "AWS::SecretsManager::Secret": (":secret:",),
    "AWS::WAFv2::WebACLAssociation": (":loadbalancer/", "webacl"),
}
