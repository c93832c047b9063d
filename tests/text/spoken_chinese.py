"""Sixty things people write in Mandarin, and how a reader says them: written down before gsv read them."""

from spoken import Spoken

SENTENCES = (
    # Prices
    Spoken(
        "这件外套原价￥299，现在只要￥199.5！",
        "这件外套原价二百九十九元,现在只要一百九十九点五元!",
        "zhe4 jian4 wai4 tao4 yuan2 jia4 er4 bai3 jiu3 shi2 jiu3 yuan2 xian4 zai4 zhi3 yao4 yi4 "
        "bai3 jiu3 shi2 jiu3 dian2 wu3 yuan2",
        kept=(
            "zhe4 jian4 wai4 tao4 yuan2 jia4 er4 bai3 jiu3 shi2 jiu3 yuan2 xian4 zai4 zhi3 yao4 yi4 "
            "bai3 jiu3 shi2 jiu2 dian3 wu3 yuan2"
        ),
    ),
    Spoken(
        "苹果12.8元/斤，买3斤送1斤。",
        "苹果十二点八元每斤,买三斤送一斤.",
        "ping2 guo3 shi2 er4 dian3 ba1 yuan2 mei3 jin1 mai3 san1 jin1 song4 yi4 jin1",
    ),
    Spoken(
        "全场8折，满300减50。",
        "全场八折,满三百减五十.",
        "quan2 chang3 ba1 zhe2 man3 san1 bai3 jian3 wu3 shi2",
    ),
    Spoken(
        "月薪2500-3000元，包吃住。",
        "月薪二千五百到三千元,包吃住.",
        "yue4 xin1 er4 qian1 wu2 bai3 dao4 san1 qian1 yuan2 bao1 chi1 zhu4",
    ),
    Spoken(
        "门票€50，大约合￥390。",
        "门票五十欧元,大约合三百九十元.",
        "men2 piao4 wu3 shi2 ou1 yuan2 da4 yue1 he2 san1 bai3 jiu3 shi2 yuan2",
    ),
    Spoken(
        "一块香皂3块5，两块7块。",
        "一块香皂三块五,两块七块.",
        "yi2 kuai4 xiang1 zao4 san1 kuai4 wu3 liang3 kuai4 qi1 kuai4",
    ),
    # Scores and ratios
    Spoken(
        "国足昨晚3-2逆转韩国队。",
        "国足昨晚三比二逆转韩国队.",
        "guo2 zu2 zuo2 wan3 san1 bi3 er4 ni4 zhuan3 han2 guo2 dui4",
    ),
    Spoken(
        "中国女排3:1战胜巴西女排。",
        "中国女排三比一战胜巴西女排.",
        "zhong1 guo2 nv3 pai2 san1 bi3 yi1 zhan4 sheng4 ba1 xi1 nv3 pai2",
    ),
    Spoken(
        "半场结束，比分是0：0。",
        "半场结束,比分是零比零.",
        "ban4 chang3 jie2 shu4 bi3 fen1 shi4 ling2 bi3 ling2",
    ),
    Spoken(
        "地图的比例尺是1:5000。",
        "地图的比例尺是一比五千.",
        "di4 tu2 de5 bi3 li4 chi3 shi4 yi1 bi3 wu3 qian1",
    ),
    Spoken(
        "最后一局11-9，总比分4-2。",
        "最后一局十一比九,总比分四比二.",
        "zui4 hou4 yi4 ju2 shi2 yi1 bi2 jiu3 zong2 bi3 fen1 si4 bi3 er4",
    ),
    # Doses
    Spoken(
        "每天吃3次，每次1-2片，饭后30分钟服用。",
        "每天吃三次,每次一到两片,饭后三十分钟服用.",
        "mei3 tian1 chi1 san1 ci4 mei3 ci4 yi1 dao4 liang3 pian4 fan4 hou4 san1 shi2 fen1 zhong1 fu2 yong4",
    ),
    Spoken(
        "每次200mg，24小时内不超过4次。",
        "每次二百毫克,二十四小时内不超过四次.",
        "mei3 ci4 er4 bai3 hao2 ke4 er4 shi2 si4 xiao3 shi2 nei4 bu4 chao1 guo4 si4 ci4",
    ),
    Spoken(
        "生理盐水250ml，滴速40~60滴/分。",
        "生理盐水二百五十毫升,滴速四十到六十滴每分.",
        "sheng1 li3 yan2 shui3 er4 bai3 wu3 shi2 hao2 sheng1 di1 su4 si4 shi2 dao4 liu4 shi2 di1 mei3 fen1",
    ),
    Spoken(
        "血压120/80，体温37.5°C，都正常。",
        "血压一百二十,八十,体温三十七点五度,都正常.",
        "xue4 ya1 yi4 bai3 er4 shi2 ba1 shi2 ti3 wen1 san1 shi2 qi1 dian2 wu3 du4 dou1 zheng4 chang2",
    ),
    Spoken(
        "空腹血糖5.6mmol/L，偏高一点。",
        "空腹血糖五点六毫摩尔每升,偏高一点.",
        "kong1 fu4 xue4 tang2 wu2 dian3 liu4 hao2 mo2 er3 mei3 sheng1 pian1 gao1 yi4 dian3",
    ),
    # Addresses, rooms, codes, telephones
    Spoken(
        "请到3号楼2单元1203室。",
        "请到三号楼二单元幺二零三室.",
        "qing3 dao4 san1 hao4 lou2 er4 dan1 yuan2 yao1 er4 ling2 san1 shi4",
    ),
    Spoken(
        "我家在中山路128号5栋602。",
        "我家在中山路一百二十八号五栋六零二.",
        "wo3 jia1 zai4 zhong1 shan1 lu4 yi4 bai3 er4 shi2 ba1 hao4 wu3 dong4 liu4 ling2 er4",
    ),
    Spoken(
        "坐地铁2号线到人民广场，从5号口出来。",
        "坐地铁二号线到人民广场,从五号口出来.",
        "zuo4 di4 tie3 er4 hao4 xian4 dao4 ren2 min2 guang2 chang3 cong2 wu3 hao4 kou3 chu1 lai5",
    ),
    Spoken(
        "快递单号是7538291046，麻烦查一下。",
        "快递单号是七五三八二九幺零四六,麻烦查一下.",
        "kuai4 di4 dan1 hao4 shi4 qi1 wu3 san1 ba1 er4 jiu3 yao1 ling2 si4 liu4 ma2 fan5 cha2 yi2 xia4",
    ),
    Spoken(
        "验证码是038271，5分钟内有效。",
        "验证码是零三八二七幺,五分钟内有效.",
        "yan4 zheng4 ma3 shi4 ling2 san1 ba1 er4 qi1 yao1 wu3 fen1 zhong1 nei4 you3 xiao4",
    ),
    Spoken(
        "请拨打010-62785001转8012。",
        "请拨打零幺零,六二七八五零零幺转八零幺二.",
        "qing3 bo1 da3 ling2 yao1 ling2 liu4 er4 qi1 ba1 wu3 ling2 ling2 yao1 zhuan3 ba1 ling2 yao1 er4",
    ),
    Spoken(
        "打110报警，打120叫救护车。",
        "打幺幺零报警,打幺二零叫救护车.",
        "da3 yao1 yao1 ling2 bao4 jing3 da3 yao1 er4 ling2 jiao4 jiu4 hu4 che1",
    ),
    Spoken(
        "我的手机是138-0013-8000，微信同号。",
        "我的手机是幺三八,零零幺三,八零零零,微信同号.",
        "wo3 de5 shou3 ji1 shi4 yao1 san1 ba1 ling2 ling2 yao1 san1 ba1 ling2 ling2 ling2 wei1 xin4 tong2 hao4",
    ),
    Spoken(
        "邮编100081，别写错了。",
        "邮编幺零零零八幺,别写错了.",
        "you2 bian1 yao1 ling2 ling2 ling2 ba1 yao1 bie2 xie3 cuo4 le5",
    ),
    # Dates and times
    Spoken(
        "会议改到12月3日下午2:30。",
        "会议改到十二月三日下午两点半.",
        "hui4 yi4 gai3 dao4 shi2 er4 yue4 san1 ri4 xia4 wu3 liang2 dian3 ban4",
    ),
    Spoken(
        "门诊时间8:00-11:30，14:00～17:00。",
        "门诊时间八点至十一点三十分,十四点至十七点.",
        "men2 zhen3 shi2 jian1 ba1 dian3 zhi4 shi2 yi4 dian3 san1 shi2 fen1 shi2 si4 dian3 zhi4 shi2 qi1 dian3",
    ),
    Spoken(
        "周二2点-4点开会。",
        "周二两点至四点开会.",
        "zhou1 er4 liang2 dian3 zhi4 si4 dian3 kai1 hui4",
    ),
    Spoken(
        "现在是00:15，该睡了。",
        "现在是零点十五分,该睡了.",
        "xian4 zai4 shi4 ling2 dian3 shi2 wu3 fen1 gai1 shui4 le5",
    ),
    Spoken(
        "２０２３年０９月０８日开学。",
        "二零二三年九月八日开学.",
        "er4 ling2 er4 san1 nian2 jiu3 yue4 ba1 ri4 kai1 xue2",
    ),
    Spoken(
        "截止日期：2023/11/05。",
        "截止日期,二零二三年十一月五日.",
        "jie2 zhi3 ri4 qi1 er4 ling2 er4 san1 nian2 shi2 yi1 yue4 wu3 ri4",
    ),
    Spoken(
        "二〇二五年的第一天，90后都三十多了。",
        "二零二五年的第一天,九零后都三十多了.",
        "er4 ling2 er4 wu3 nian2 de5 di4 yi1 tian1 jiu3 ling2 hou4 dou1 san1 shi2 duo1 le5",
    ),
    Spoken(
        "他1998-2003年在北京读书。",
        "他一九九八到二零零三年在北京读书.",
        "ta1 yi1 jiu3 jiu3 ba1 dao4 er4 ling2 ling2 san1 nian2 zai4 bei3 jing1 du2 shu1",
    ),
    Spoken(
        "我们等了2个多小时，走了2里路。",
        "我们等了两个多小时,走了两里路.",
        "wo3 men5 deng3 le5 liang3 ge5 duo1 xiao3 shi2 zou3 le5 liang2 li3 lu4",
    ),
    # Measures
    Spoken(
        "他身高1米8，体重75kg，跑100米只要12秒。",
        "他身高一米八,体重七十五千克,跑一百米只要十二秒.",
        "ta1 shen1 gao1 yi4 mi3 ba1 ti3 zhong4 qi1 shi2 wu3 qian1 ke4 pao3 yi4 bai2 mi3 zhi3 yao4 shi2 er4 miao3",
        kept=(
            "ta1 shen1 gao1 yi4 mi3 ba1 ti3 zhong4 qi1 shi2 wu3 qian1 ke4 pao3 yi4 bai3 mi3 zhi3 yao4 shi2 er4 miao3"
        ),
    ),
    Spoken(
        "屏幕6.7英寸，厚8mm，重203g。",
        "屏幕六点七英寸,厚八毫米,重二百零三克.",
        "ping2 mu4 liu4 dian3 qi1 ying1 cun4 hou4 ba1 hao2 mi3 zhong4 er4 bai3 ling2 san1 ke4",
    ),
    Spoken(
        "长江全长6300km，流域面积180万km²。",
        "长江全长六千三百千米,流域面积一百八十万平方千米.",
        "chang2 jiang1 quan2 chang2 liu4 qian1 san1 bai3 qian1 mi3 liu2 yu4 mian4 ji1 yi4 bai3 "
        "ba1 shi2 wan4 ping2 fang1 qian1 mi3",
    ),
    Spoken(
        "水的密度是1g/cm³，限速60km/h。",
        "水的密度是一克每立方厘米,限速六十千米每小时.",
        "shui3 de5 mi4 du4 shi4 yi2 ke4 mei3 li4 fang1 li2 mi3 xian4 su4 liu4 shi2 qian1 mi3 mei3 xiao3 shi2",
    ),
    Spoken(
        "电压220V，功率1500W。",
        "电压二百二十伏,功率一千五百瓦.",
        "dian4 ya1 er4 bai3 er4 shi2 fu2 gong1 lv4 yi4 qian1 wu3 bai2 wa3",
        kept="dian4 ya1 er4 bai3 er4 shi2 fu2 gong1 lv4 yi1 qian1 wu2 bai3 wa3",
    ),
    Spoken(
        "今天-5~3℃，明天-8℃。",
        "今天零下五到三度,明天零下八度.",
        "jin1 tian1 ling2 xia4 wu3 dao4 san1 du4 ming2 tian1 ling2 xia4 ba1 du4",
    ),
    Spoken(
        "误差±0.5%，合格率≥99%。",
        "误差正负百分之零点五,合格率大于等于百分之九十九.",
        "wu4 cha1 zheng4 fu4 bai3 fen1 zhi1 ling2 dian2 wu3 he2 ge2 lv4 da4 yu2 deng3 yu2 bai3 "
        "fen1 zhi1 jiu3 shi2 jiu3",
        kept=(
            "wu4 cha1 zheng4 fu4 bai3 fen1 zhi1 ling2 dian3 wu3 he2 ge2 lv4 da4 yu2 deng3 yu2 bai3 "
            "fen1 zhi1 jiu3 shi2 jiu3"
        ),
    ),
    Spoken(
        "增长了15%-20%，2/3的人同意。",
        "增长了百分之十五至百分之二十,三分之二的人同意.",
        "zeng1 zhang3 le5 bai3 fen1 zhi1 shi2 wu3 zhi4 bai3 fen1 zhi1 er4 shi2 san1 fen1 zhi1 er4 de5 ren2 tong2 yi4",
    ),
    Spoken(
        "客服7*24小时在线，箱子30×40×50厘米。",
        "客服七乘二十四小时在线,箱子三十乘四十乘五十厘米.",
        "ke4 fu2 qi1 cheng2 er4 shi2 si4 xiao3 shi2 zai4 xian4 xiang1 zi5 san1 shi2 cheng2 si4 "
        "shi2 cheng2 wu3 shi2 li2 mi3",
    ),
    # Numbers
    Spoken(
        "系统升级到10.0.2版本了。",
        "系统升级到十点零点二版本了.",
        "xi4 tong3 sheng1 ji2 dao4 shi2 dian3 ling2 dian3 er4 ban2 ben3 le5",
    ),
    Spoken(
        "1亿2000万人看了直播。",
        "一亿二千万人看了直播.",
        "yi2 yi4 er4 qian1 wan4 ren2 kan4 le5 zhi2 bo1",
        kept="yi1 yi4 er4 qian1 wan4 ren2 kan4 le5 zhi2 bo1",
    ),
    Spoken(
        "2的10次方是1024。",
        "二的十次方是幺零二四.",
        "er4 de5 shi2 ci4 fang1 shi4 yao1 ling2 er4 si4",
    ),
    Spoken(
        "世界500强里有2家来自2线城市。",
        "世界五百强里有两家来自二线城市.",
        "shi4 jie4 wu2 bai3 qiang2 li2 you3 liang3 jia1 lai2 zi4 er4 xian4 cheng2 shi4",
    ),
    Spoken(
        "倒计时3、2、1！",
        "倒计时三,二,一!",
        "dao4 ji4 shi2 san1 er4 yi1",
    ),
    # Chat
    Spoken(
        "😂😂笑死我了👍在吗？？？我到楼下啦～",
        "笑死我了,在吗?我到楼下啦…",
        "xiao4 si3 wo3 le5 zai4 ma5 wo3 dao4 lou2 xia4 la5",
        kept="xiao4 si2 wo3 le5 zai4 ma5 wo3 dao4 lou2 xia5 la5",
    ),
    Spoken(
        "没关系，一会儿再说吧，别着急。",
        "没关系,一会儿再说吧,别着急.",
        "mei2 guan1 xi5 yi2 hui4 er4 zai4 shuo1 ba5 bie2 zhao2 ji2",
    ),
    Spoken(
        "他差点儿迟到，差了5分钟。",
        "他差点儿迟到,差了五分钟.",
        "ta1 cha4 dian3 er3 chi2 dao4 cha4 le5 wu3 fen1 zhong1",
    ),
    Spoken(
        "听不听随你，反正我不一定去。",
        "听不听随你,反正我不一定去.",
        "ting1 bu5 ting1 sui2 ni3 fan3 zheng4 wo3 bu4 yi2 ding4 qu4",
        kept="ting1 bu4 ting1 sui2 ni3 fan3 zheng4 wo3 bu4 yi2 ding4 qu4",
    ),
    # Characters with several readings, names
    Spoken(
        "重庆的重量级选手觉得还行。",
        "重庆的重量级选手觉得还行.",
        "chong2 qing4 de5 zhong4 liang4 ji2 xuan2 shou3 jue2 de5 hai2 xing2",
    ),
    Spoken(
        "他把头发剪了，发现更帅了。",
        "他把头发剪了,发现更帅了.",
        "ta1 ba3 tou2 fa5 jian3 le5 fa1 xian4 geng4 shuai4 le5",
    ),
    Spoken(
        "长大以后，我要当音乐家。",
        "长大以后,我要当音乐家.",
        "zhang3 da4 yi3 hou4 wo3 yao4 dang1 yin1 yue4 jia1",
    ),
    Spoken(
        "银行行长和会计都在数数。",
        "银行行长和会计都在数数.",
        "yin2 hang2 hang2 zhang3 he2 kuai4 ji4 dou1 zai4 shu3 shu4",
    ),
    Spoken(
        "曾国藩和尉迟恭不是一个朝代的人。",
        "曾国藩和尉迟恭不是一个朝代的人.",
        "zeng1 guo2 fan1 he2 yu4 chi2 gong1 bu2 shi4 yi2 ge5 chao2 dai4 de5 ren2",
    ),
    Spoken(
        "尼古拉·特斯拉出生在克罗地亚。",
        "尼古拉,特斯拉出生在克罗地亚.",
        "ni2 gu3 la1 te4 si1 la1 chu1 sheng1 zai4 ke4 luo2 di4 ya4",
    ),
    # Songs and verse
    Spoken(
        "月亮慢慢爬上来，风把歌声吹到海边。",
        "月亮慢慢爬上来,风把歌声吹到海边.",
        "yue4 liang5 man4 man4 pa2 shang4 lai5 feng1 ba3 ge1 sheng1 chui1 dao4 hai3 bian1",
    ),
    Spoken(
        "两个黄鹂鸣翠柳，一行白鹭上青天。",
        "两个黄鹂鸣翠柳,一行白鹭上青天.",
        "liang3 ge5 huang2 li2 ming2 cui4 liu3 yi4 hang2 bai2 lu4 shang4 qing1 tian1",
        kept="liang3 ge5 huang2 li2 ming2 cui4 liu3 yi4 xing2 bai2 lu4 shang4 qing1 tian1",
    ),
)
